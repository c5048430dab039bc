//go:build acceptance

package acceptance

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
)

// TestDrainUnderLoad: requests accepted before Drain are answered, and later ones are
// refused.
func TestDrainUnderLoad(t *testing.T) {
	t.Parallel()
	b := sharedBroker(t)
	const name = "drained"
	id := topicNamed(t, connect(t, configOf(t, b)), name)
	book := newLedger()
	conn, w := watched(t, configOf(t, b))

	// Many more callers than MaxInFlight: most of them wait. Each continues until it is
	// refused.
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			for n := 0; ; n++ {
				record := fmt.Sprintf("caller %d: %d", i, n)
				resp, err := produceRequest(name, id, -1, []byte(record)).RequestWith(t.Context(), conn)
				book.enter(t, record, resp, err)
				if err != nil {
					if !errors.Is(err, broker.ErrDraining) {
						t.Errorf("got %v, want an answer or a refusal", err)
					}
					return
				}
			}
		})
	}
	eventually(t, "a line under load", func() bool { return book.count(stored) > 200 && conn.Stats().Waiting >= 10 })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	fakebroker.Must(t, conn.Drain(ctx))
	select {
	case <-conn.Done():
	default:
		t.Error("Done: got it open after Drain, want it closed")
	}
	wg.Wait()
	if _, err := conn.Send(t.Context(), kmsg.NewPtrMetadataRequest()); !errors.Is(err, broker.ErrDraining) {
		t.Errorf("request after Drain: got %v", err)
	}
	s := conn.Stats()
	auditSums(t, s)
	if s.Failed != 0 || s.State != broker.Closed || s.ClosedClean != s.Closed || conn.LastError() != nil {
		t.Errorf("after Drain: got %+v, last error %v; want nothing failed", s, conn.LastError())
	}
	if n := book.count(stored); int64(n) != s.Responses || book.count(unsent) != 20 {
		t.Errorf("got %d answers for the records %v", s.Responses, book)
	}
	w.audit(t)
	t.Logf("records: %v", book)

	// A Polled can be connected again.
	p, pw := watchedLoop(t, configOf(t, b))
	defer p.Close(nil)
	for round := range 3 {
		p.connect()
		var sent []*broker.Future
		for p.CanSendMore() {
			record := fmt.Sprintf("loop %d: %d", round, len(sent))
			sent = append(sent, p.Send(produceRequest(name, id, -1, []byte(record)), false))
		}
		if !p.Drain() {
			refused := p.Send(kmsg.NewPtrMetadataRequest(), false)
			if _, err := refused.Response(); !errors.Is(err, broker.ErrDraining) {
				t.Errorf("request while a Polled drains: got %v", err)
			}
		}
		p.until(time.Time{}, "the end of a drain", p.Drain)
		for i, f := range sent {
			if !isDone(f) {
				t.Fatalf("request %d: got it pending after the drain, want it done", i)
			}
			resp, err := f.Response()
			book.enter(t, fmt.Sprintf("loop %d: %d", round, i), resp, err)
			if err != nil {
				t.Errorf("request %d: %v", i, err)
			}
		}
	}
	auditSums(t, p.Stats())
	pw.audit(t)
	book.audit(t, recordsOf(t, b, name, id))
}
