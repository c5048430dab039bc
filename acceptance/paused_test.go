//go:build acceptance

package acceptance

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// TestOneTimesOutAmongOthers: when one of several requests times out at a paused broker, the
// connection is closed and the others fail with it. Each error says how much was sent, and
// the broker's log agrees.
func TestOneTimesOutAmongOthers(t *testing.T) {
	t.Parallel()
	b := privateBroker(t, Config{Properties: map[string]string{
		"message.max.bytes": fmt.Sprint(32 << 20), // or it would refuse the large ones anyway
	}})
	const name, rounds, short = "paused", 3, 1500 * time.Millisecond
	id := topicNamed(t, connect(t, configOf(t, b)), name)
	book := newLedger()
	cfg := configOf(t, b)
	cfg.MaxInFlight = 8
	cfg.SetupTimeout = time.Second // of the attempts while the broker is paused
	conn, w := watched(t, cfg)
	p, pw := watchedLoop(t, cfg)
	defer p.Close(nil)

	for round := range rounds {
		p.mustAnswer()
		fakebroker.Must(t, conn.Connect(t.Context()))
		groups := []*group{
			newGroup(fmt.Sprint("conn ", round), name, id,
				func(req ports.Message) *broker.Future { return sendOn(t, conn, req) },
				func(req ports.Message) *broker.Future {
					return must(conn.Send(broker.WithRequestTimeout(t.Context(), short), req))(t)
				}),
			newGroup(fmt.Sprint("loop ", round), name, id,
				func(req ports.Message) *broker.Future { return p.Send(req, false) },
				func(req ports.Message) *broker.Future { return p.Send(req, false, broker.WithTimeout(short)) }),
		}
		fakebroker.Must(t, b.Pause())
		for _, g := range groups {
			g.send()
		}
		p.until(time.Time{}, "a timeout", func() bool { return p.Disconnected() })
		for _, g := range groups {
			g.check(t, book)
		}

		// A caller waits in the queue while attempts fail.
		attempts := conn.Stats().Attempts
		waiting, record := make(chan error, 1), fmt.Sprint("conn ", round, " waiting")
		go func() {
			resp, err := produceRequest(name, id, -1, []byte(record)).RequestWith(t.Context(), conn)
			book.enter(t, record, resp, err)
			waiting <- err
		}()
		eventually(t, "two failed attempts", func() bool { return conn.Stats().Attempts >= attempts+2 })
		fakebroker.Must(t, b.Resume())
		if err := <-waiting; err != nil {
			t.Errorf("after Resume: got %v", err)
		}
	}

	p.Close(nil)
	for _, s := range []broker.Stats{closed(conn), p.Stats()} {
		auditSums(t, s)
		if s.TimedOut != rounds {
			t.Errorf("got %d timeouts, want one in each of %d rounds", s.TimedOut, rounds)
		}
	}
	w.audit(t)
	pw.audit(t)
	t.Logf("records: %v", book)
	book.audit(t, recordsOf(t, b, name, id))
}

// A group is requests on one connection, of which the third one's time is short.
// The one behind it is too large for the buffers between here and a broker that
// does not read, so that it is sent in part, and the last is queued behind it.
type group struct {
	who        string
	requests   []ports.Message
	admit      func(ports.Message) *broker.Future
	admitShort func(ports.Message) *broker.Future

	late   *broker.Future
	others []*broker.Future
}

// newGroup makes the requests, which takes a while.
func newGroup(who, name string, id [16]byte, admit, admitShort func(ports.Message) *broker.Future) *group {
	produce := func(text string) ports.Message { return produceRequest(name, id, -1, []byte(who+text)) }
	return &group{who: who, admit: admit, admitShort: admitShort, requests: []ports.Message{
		produce(" other 0"),
		kmsg.NewPtrMetadataRequest(),
		produce(" late"),
		produce(" other 2" + strings.Repeat(" ", 16<<20)),
		produce(" other 3"),
	}}
}

func (g *group) send() {
	for i, req := range g.requests {
		if i == 2 {
			g.late = g.admitShort(req)
			continue
		}
		g.others = append(g.others, g.admit(req))
	}
}

func (g *group) check(t *testing.T, book *ledger) {
	t.Helper()
	resp, err := g.late.Wait(t.Context())
	if !errors.Is(err, broker.ErrRequestTimeout) || errors.Is(err, broker.ErrConnection) ||
		lostWith(t, err) != broker.SentFully {
		t.Errorf("%s, the late request: got %v", g.who, err)
	}
	book.enter(t, g.who+" late", resp, err)
	for i, want := range []broker.Sent{broker.SentFully, broker.SentFully, broker.SentPartly, broker.SentNothing} {
		resp, err := g.others[i].Wait(t.Context())
		if !errors.Is(err, broker.ErrConnection) || errors.Is(err, broker.ErrTimeout) || lostWith(t, err) != want ||
			!strings.Contains(err.Error(), "another request on it timed out") {
			t.Errorf("%s, other request %d: got %v, want it %v", g.who, i, err, want)
		}
		if i != 1 {
			book.enter(t, fmt.Sprint(g.who, " other ", i), resp, err)
		}
	}
}
