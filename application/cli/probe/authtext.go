package probe

import (
	"fmt"
	"strings"
	"time"
)

// authDocument is the answer of auth.
type authDocument struct {
	Broker        string     `json:"broker"`
	Mechanisms    []string   `json:"mechanisms"` // null: the broker did not tell
	Login         *attempt   `json:"login"`      // null: not tried, or not reached
	SessionMillis int64      `json:"session_ms"` // 0: for ever
	Renewal       *attempt   `json:"renewal"`    // null: not tried
	Error         *errorInfo `json:"error"`      // null: all well

	Logs bool `json:"-"` // a login is configured
}

// attempt is one login.
type attempt struct {
	Mechanism  string  `json:"mechanism"`
	OK         bool    `json:"ok"`
	TookMillis float64 `json:"took_ms"`
	Error      string  `json:"error,omitempty"`

	err          error
	illegalState bool // error 34: the broker renews no session
}

func (d authDocument) text() string {
	var b strings.Builder
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-11s %s\n", what, oneLine(fmt.Sprintf(format, args...)))
	}
	if d.Mechanisms != nil {
		line("mechanisms", "%s", strings.Join(d.Mechanisms, " "))
	}
	switch l := d.Login; {
	case !d.Logs:
		line("login", "not tried: none is configured")
	case l == nil:
	case l.OK:
		line("login", "%s, in %v ms", l.Mechanism, l.TookMillis)
		line("session", "%s", session(time.Duration(d.SessionMillis)*time.Millisecond))
	default:
		line("login", "%s failed, after %v ms", l.Mechanism, l.TookMillis)
	}
	switch r := d.Renewal; {
	case r == nil:
	case r.OK:
		line("renewal", "on the same connection, in %v ms", r.TookMillis)
	case r.illegalState:
		line("renewal", "the broker renews no session here (connections.max.reauth.ms is not set)")
	case r.err == nil:
		line("renewal", "%s", r.Error)
	default:
		line("renewal", "failed, after %v ms", r.TookMillis)
	}
	return b.String()
}

func session(lifetime time.Duration) string {
	if lifetime == 0 {
		return "for as long as the connection stands"
	}
	return fmt.Sprintf("%v; renewed after 85 to 95 %% of that", lifetime)
}
