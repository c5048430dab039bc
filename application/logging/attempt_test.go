package logging_test

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/application/logging"
)

// Azure Event Hubs closes the connection on ApiVersions v4 and answers v0 on the next: nothing has
// failed. Where v0 is closed on too there is one failure, also though Dial closes the Conn then.
func TestAttemptIsOneLine(t *testing.T) {
	for _, c := range []struct {
		name    string
		answers bool
		want    string // the beginning of the only line
	}{
		{"answered at v0", true,
			"level=INFO msg=connected address=10.0.0.1:9092 from=NegotiatingVersions to=Connected\n"},
		{"closed on both", false, `level=WARN msg="could not connect" address=10.0.0.1:9092 ` +
			`from=NegotiatingVersions to=Disconnected error=`},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				cfg := (&fakebroker.Hosts{Peer: map[string]func(net.Conn){"10.0.0.1:9092": func(conn net.Conn) {
					fakebroker.Serve(conn, func(r fakebroker.Request) []byte {
						if r.Version > 0 || !c.answers {
							conn.Close()
							return nil
						}
						return fakebroker.Table(r.Version)
					})
				}}}).At("10.0.0.1:9092").Config()
				cfg.Hooks = logging.Hooks(logger(&out, slog.LevelInfo))
				conn, err := broker.Dial(t.Context(), cfg)
				if (err == nil) != c.answers {
					t.Fatalf("got error %v, want one: %v", err, !c.answers)
				}
				synctest.Wait()
				got := out.String()
				counted := strings.Contains(got, "failures=")
				if !strings.HasPrefix(got, c.want) || strings.Count(got, "\n") != 1 || counted {
					t.Errorf("got\n%swant one line that begins\n%s", got, c.want)
				}
				if err == nil {
					fakebroker.Close(t, conn)
				}
			})
		})
	}
}
