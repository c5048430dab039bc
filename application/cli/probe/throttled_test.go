package probe

import (
	"net"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
)

// TestThrottledIsSaid: a command that the broker throttles says so at once, and its timeout says until when.
func TestThrottledIsSaid(t *testing.T) {
	at := fakebroker.Listen(t, func(conn net.Conn) {
		fakebroker.Serve(conn, func(r fakebroker.Request) []byte {
			resp := kmsg.NewPtrApiVersionsResponse()
			resp.Version, resp.ThrottleMillis = r.Version, 45_000
			resp.ApiKeys = fakebroker.ScriptedTable
			return resp.AppendTo(nil)
		})
	})
	for _, args := range [][]string{
		{"ping", at, "-c", "1", "--timeout", "500ms"}, {"request", at, "Metadata", "--timeout", "500ms"},
		{"ping", at, "-c", "1", "--timeout", "500ms", "--json"},
	} {
		o := probe(t, args...)
		if o.code != exitTimeout {
			t.Errorf("got exit code %d, want %d", o.code, exitTimeout)
		}
		contains(t, o.stderr, "kafkaprobe: warning: throttled by "+at+" until ")
		contains(t, o.stdout+o.stderr, "throttled by the broker until ", " more")
	}
}
