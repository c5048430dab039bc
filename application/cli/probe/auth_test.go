package probe

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
)

// The broker here is kfake, which knows PLAIN and SCRAM, and renews no session: it
// closes where Kafka answers error 34. What real brokers do is in acceptance.

const authSecret = "canary-of-kafkaprobe-auth"

func authBroker(t *testing.T) string {
	t.Helper()
	address, _ := fakeKafka(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "alice", authSecret), kfake.Superuser("SCRAM-SHA-256", "alice", authSecret))
	return address
}

func authArgs(address, mechanism, password string, more ...string) []string {
	return append([]string{"auth", address, "-X", "security_protocol=SASL_PLAINTEXT", "-X", "sasl_mechanism=" + mechanism,
		"-X", "sasl_plain_username=alice", "-X", "sasl_plain_password=" + password}, more...)
}

func TestAuth(t *testing.T) {
	address := authBroker(t)
	for name, c := range map[string]struct {
		args  []string
		code  int
		says  []string // anywhere
		login bool     // tried, and good
	}{
		"SCRAM": {authArgs(address, "SCRAM-SHA-256", authSecret), 0, []string{"login       SCRAM-SHA-256, in ", "session     "}, true},
		"PLAIN, with a warning": {authArgs(address, "PLAIN", authSecret), 0,
			[]string{"login       PLAIN, in ", "warning: PLAIN: the password or token travels in plaintext"}, true},
		"a wrong password":      {authArgs(address, "SCRAM-SHA-256", "wrong-"+authSecret), 14, []string{"login       SCRAM-SHA-256 failed", "while Authenticating"}, false},
		"none configured":       {[]string{"auth", address}, 0, []string{"login       not tried: none is configured"}, false},
		"a mechanism not there": {authArgs(address, "SCRAM-SHA-512", authSecret), 14, []string{"login       SCRAM-SHA-512 failed", "while Authenticating"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := probe(t, c.args...)
			for _, words := range c.says {
				if !strings.Contains(o.stdout+o.stderr, words) {
					t.Errorf("%q is not in\n%s%s", words, o.stdout, o.stderr)
				}
			}
			if o.code != c.code || strings.Contains(o.stdout+o.stderr, authSecret) {
				t.Errorf("exit code %d, want %d\n%s%s", o.code, c.code, o.stdout, o.stderr)
			}
			doc := decode[authDocument](t, probe(t, append(c.args, "--json")...))
			if (doc.Login != nil && doc.Login.OK) != c.login || (doc.Error == nil) != (c.code == 0) {
				t.Errorf("%+v, %+v", doc, doc.Login)
			}
			if doc.Error != nil && doc.Error.ExitCode != c.code {
				t.Errorf("the document says exit code %d", doc.Error.ExitCode)
			}
		})
	}
}

// A port where there is nobody to log in to is told as by any command.
func TestAuthElsewhere(t *testing.T) {
	probe(t, "auth", hangsUp(t)).failed(t, exitProtocol)
	probe(t, "auth", says(t, "HTTP/1.1 400 Bad Request\r\n\r\n")).failed(t, exitProtocol, "HTTP")
	probe(t, "auth", silent(t), "--timeout", "500ms").failed(t, exitTimeout)
	probe(t, "auth").failed(t, exitUsage, "needs HOST:PORT")
}
