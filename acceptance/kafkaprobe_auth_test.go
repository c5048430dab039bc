//go:build acceptance

package acceptance

import (
	"bytes"
	"strings"
	"testing"

	"brokerconn/application/cli/probe"
)

// TestKafkaprobeAuth runs the command auth at listeners with and without
// reauthentication, at one without SASL, and with a wrong password.
func TestKafkaprobeAuth(t *testing.T) {
	b := secured(t, Newest)
	login := func(l Listener, password string) []string {
		return []string{"auth", b.AddrOf(l), "-X", "security_protocol=SASL_PLAINTEXT",
			"-X", "sasl_mechanism=SCRAM-SHA-256",
			"-X", "sasl_plain_username=" + ScramUser, "-X", "sasl_plain_password=" + password}
	}
	mechanisms := "mechanisms  " + strings.Join(b.Mechanisms(), " ")
	for name, c := range map[string]struct {
		args []string
		code int
		says []string
	}{
		"renewed": {login(Reauth, ScramPassword), 0, []string{mechanisms, "login       SCRAM-SHA-256, in ",
			"session     3s; reauthentication", "renewal     on the same connection"}},
		"not renewed": {login(SASLPlaintext, ScramPassword), 0, []string{mechanisms,
			"session     no limit", "not supported by the broker"}},
		"a wrong password": {login(SASLPlaintext, wrongPassword), 14, []string{mechanisms,
			"SASL_AUTHENTICATION_FAILED"}},
		"the list alone": {[]string{"auth", b.AddrOf(SASLPlaintext)}, 0, []string{mechanisms,
			"not tried: none is configured"}},
		"no login there": {[]string{"auth", b.Addr()}, 14, []string{"ILLEGAL_SASL_STATE"}},
	} {
		t.Run(name, func(t *testing.T) {
			var out, err bytes.Buffer
			code := probe.Run(t.Context(), c.args, strings.NewReader(""), &out, &err)
			for _, words := range c.says {
				if !strings.Contains(out.String()+err.String(), words) {
					t.Errorf("%q is not in\n%s%s", words, &out, &err)
				}
			}
			if code != c.code {
				t.Errorf("exit %d, want %d\n%s%s", code, c.code, &out, &err)
			}
		})
	}
}
