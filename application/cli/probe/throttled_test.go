package probe

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"sync"
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

// A hook of a connection warns while the command does: the two take turns.
func TestWarningsTakeTurns(t *testing.T) {
	var out bytes.Buffer
	a := &app{stderr: &out}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() { a.warn(fmt.Sprint("warning ", i%4)) })
	}
	all.Wait()
	if got := strings.Count(out.String(), "\n"); got != 4 {
		t.Errorf("got %d lines, want each of the 4 warnings once:\n%s", got, out.String())
	}
}
