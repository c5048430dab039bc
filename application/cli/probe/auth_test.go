package probe

import (
	"net"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/acceptance/proxies"
)

// The broker here is kfake, which has PLAIN and SCRAM, and closes the connection at a
// reauthentication. Real brokers are tested in acceptance.
func TestAuth(t *testing.T) {
	const secret = "canary-of-kafkaprobe-auth"
	address, _ := fakeKafka(t, kfake.EnableSASL(),
		kfake.Superuser("PLAIN", "alice", secret), kfake.Superuser("SCRAM-SHA-256", "alice", secret))
	for _, c := range []struct {
		name, mechanism, password string
		code                      int
		words                     []string
	}{
		{"SCRAM", "SCRAM-SHA-256", secret, exitOK, []string{"login       SCRAM-SHA-256, in ", "session     "}},
		{"PLAIN, with a warning", "PLAIN", secret, exitOK,
			[]string{"login       PLAIN, in ", "warning: PLAIN: the password or token travels in plaintext"}},
		{"wrong password", "SCRAM-SHA-256", "wrong-" + secret, exitAuthentication,
			[]string{"login       SCRAM-SHA-256 failed", "while Authenticating"}},
		{"unknown mechanism", "SCRAM-SHA-512", secret, exitAuthentication,
			[]string{"login       SCRAM-SHA-512 failed", "while Authenticating"}},
		{"not configured", "", "", exitOK, []string{"login       not tried: none is configured"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := []string{"auth", address}
			if c.mechanism != "" {
				args = append(args, "-X", "security_protocol=SASL_PLAINTEXT", "-X", "sasl_mechanism="+c.mechanism,
					"-X", "sasl_plain_username=alice", "-X", "sasl_plain_password="+c.password)
			}
			o := probe(t, args...)
			contains(t, o.stdout+o.stderr, c.words...)
			doc := decode[authDocument](t, probe(t, append(slices.Clip(args), "--json")...))
			e := doc.Error
			if o.code != c.code || (e == nil) != (c.code == exitOK) || e != nil && e.ExitCode != c.code {
				t.Errorf("got exit code %d and error %+v, want %d", o.code, doc.Error, c.code)
			}
			loggedIn := doc.Login != nil && doc.Login.OK
			if want := c.code == exitOK && c.mechanism != ""; loggedIn != want {
				t.Errorf("got login %+v, want success %v", doc.Login, want)
			}
		})
	}
}

// A port that wants a login answers ApiVersions and closes the connection on the next request,
// in kfake as in Apache Kafka: the tool asks which mechanisms it offers.
func TestPortWantsLogin(t *testing.T) {
	const secret = "canary-of-kafkaprobe-login"
	address, _ := fakeKafka(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "alice", secret),
		kfake.Superuser("SCRAM-SHA-256", "alice", secret))
	e := probeFails(t, exitAuthentication, []string{"request", address, "metadata"},
		"Metadata v", "fully sent", "the port wants a login, by PLAIN or SCRAM-SHA-256", "set security_protocol")
	if e.API != "Metadata" || e.Version == nil || e.Sent != "fully sent" || e.Request == 0 {
		t.Errorf("got %+v, want the request", e)
	}
}

// Apache Kafka answers ApiVersions only once before a login: a ping is the request that it closes on.
func TestPingOfPortWantsLogin(t *testing.T) {
	address := proxies.Listen(t, func(c net.Conn) {
		asked := false
		fakebroker.Serve(c, func(r fakebroker.Request) []byte {
			switch {
			case r.Key == 18 && !asked:
				asked = true
				return fakebroker.Table(r.Version)
			case r.Key == 17:
				resp := kmsg.NewPtrSASLHandshakeResponse()
				resp.ErrorCode, resp.SupportedMechanisms = 33, []string{"PLAIN", "GSSAPI"}
				return resp.AppendTo(nil)
			}
			c.Close()
			return nil
		})
	})
	o := probe(t, "ping", "-c", "2", "-i", "1ms", address).failed(t, exitAuthentication,
		"the port wants a login, by GSSAPI or PLAIN", "hint: set security_protocol")
	contains(t, o.stdout, "seq=1 lost: "+address+": authentication failed")
}

// The same loss at a listener without SASL, which answers error 34 to SaslHandshake as Apache
// Kafka does, stays what it is.
func TestPortWantsNoLogin(t *testing.T) {
	address := proxies.Listen(t, func(c net.Conn) {
		fakebroker.Serve(c, func(r fakebroker.Request) []byte {
			switch r.Key {
			case 18:
				return fakebroker.Table(r.Version)
			case 17:
				return []byte{0, 34, 0, 0, 0, 0} // and no mechanism
			}
			c.Close()
			return nil
		})
	})
	probe(t, "request", address, "metadata", "--timeout", short).failed(t, exitTCP, "Metadata v8 (fully sent)")
	probe(t, with([]string{"request", address, "metadata", "--timeout", short}, "security_protocol=SASL_PLAINTEXT",
		"sasl_mechanism=SCRAM-SHA-256", "sasl_plain_username=alice", "sasl_plain_password=canary-of-no-login")...).
		failed(t, exitAuthentication, "ILLEGAL_SASL_STATE", "hint: the port wants no login")
}

func TestAuthOfOtherPeers(t *testing.T) {
	probe(t, "auth", hangsUp(t)).failed(t, exitProtocol)
	probe(t, "auth", says(t, "HTTP/1.1 400 Bad Request\r\n\r\n")).failed(t, exitProtocol, "HTTP")
	probe(t, "auth", silent(t), "--timeout", "500ms").failed(t, exitTimeout)
	probe(t, "auth").failed(t, exitUsage, "needs HOST:PORT")
}
