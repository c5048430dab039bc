package httpconnect

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"brokerconn/adapters/internal/fault"
	"brokerconn/adapters/netlink/tunnel"
)

// A proxy gives its reason in the text of the status line (tinyproxy, privoxy), in a header
// of its own (squid's X-Squid-Error) or in Proxy-Status (RFC 9209).

// aReason matches the names of headers that explain a refusal.
var aReason = regexp.MustCompile(`(?i)^proxy-status$|^x-.*(error|reason)`)

// maxReason bounds each reason, and maxReasons their number.
const (
	maxReason  = 120
	maxReasons = 4
)

// withReasons adds to the cause of a refusal what the proxy says about it. Words that repeat
// the login are left out.
func withReasons(cause error, response *http.Response, login tunnel.Login) error {
	_, text, _ := strings.Cut(response.Status, " ")
	var found []string
	if text = strings.TrimSpace(text); !strings.EqualFold(text, http.StatusText(response.StatusCode)) {
		found = append(found, text)
	}
	for _, name := range slices.Sorted(maps.Keys(response.Header)) {
		if aReason.MatchString(name) {
			found = append(found, name+": "+strings.Join(response.Header[name], ", "))
		}
	}
	var shown []string
	for _, reason := range found {
		if reason != "" && len(shown) < maxReasons && !login.Repeats(reason) {
			shown = append(shown, fmt.Sprintf("%q", fault.Printable(reason, maxReason)))
		}
	}
	if shown == nil {
		return cause
	}
	return fmt.Errorf("%w; it says %s", cause, strings.Join(shown, ", "))
}
