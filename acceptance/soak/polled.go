package soak

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
	"brokerconn/ports"
)

// A loop owns a Polled. While there is load, one goroutine runs it; otherwise the goroutine of
// the soak does.
type loop struct {
	*broker.Polled
	*soak
	*member
	choice
	lane   int
	woken  chan struct{}
	window []inFlight
}

// inFlight is a request of a loop, and what to do when it is done.
type inFlight struct {
	*broker.Future
	take func(ports.Message, error)
}

func (s *soak) newLoop(m *member, cfg broker.Config) (*loop, error) {
	p, err := broker.NewPolled(cfg)
	if err != nil {
		return nil, err
	}
	lane := s.ledger.newLane()
	return &loop{Polled: p, soak: s, member: m, choice: choiceOf(s.seed, lane), lane: lane,
		woken: make(chan struct{}, 1)}, nil
}

func (l *loop) run(over <-chan struct{}) {
	for {
		ready := func() bool { return l.connected() && !l.Stats().ThrottledUntil.After(time.Now()) }
		if !l.comes("to be connected", ready) {
			return
		}
		for range 1 + l.IntN(5) {
			l.sendOne()
		}
		if l.in(20) && len(l.window) > 0 {
			l.window[l.IntN(len(l.window))].Cancel()
		}
		switch {
		case l.in(200):
			l.Reauthenticate()
		case l.in(100):
			if !l.comes("to be drained", l.Drain) { // the next turn connects
				return
			}
		case l.in(200):
			l.Close(errors.New("closed by the load"))
		}
		if !l.comes("the end of its requests", l.taken) {
			return
		}
		select {
		case <-over:
			return
		case <-time.After(l.upTo(l.idle)):
		}
	}
}

// comes runs the Polled until done returns true. That it does not come is a defect.
func (l *loop) comes(what string, done func() bool) bool {
	err := l.until(done)
	if err != nil {
		l.tally.defect(fmt.Sprintf("it waited for %s: %v: %+v", what, err, l.Stats()))
	}
	return err == nil
}

// connected reports whether requests are admitted, and connects if not.
func (l *loop) connected() bool {
	return l.Connect() == broker.Connected && !l.Stats().Reauthenticating
}

// taken takes the requests that are done, and reports whether none is left.
func (l *loop) taken() bool {
	for len(l.window) > 0 {
		first := l.window[0]
		select {
		case <-first.Done():
		default:
			return false
		}
		resp, err := first.Response()
		l.tally.end(err)
		first.take(resp, err)
		l.window = l.window[1:]
	}
	return true
}

func (l *loop) sendOne() {
	var options []broker.SendOption
	if l.in(40) {
		options = append(options, broker.WithTimeout(50*time.Millisecond+l.upTo(time.Second)))
	}
	req, take := l.request()
	l.tally.begin()
	l.window = append(l.window, inFlight{l.Send(req, l.in(8), options...), take})
}

// request is a request of any kind, and what is to be done with its end.
func (l *loop) request() (ports.Message, func(ports.Message, error)) {
	switch n := l.IntN(10); {
	case n < 6:
		id := l.ledger.open(l.lane)
		return l.produce(l.acks(), id.value(l.size(l.largest))), func(resp ports.Message, err error) {
			l.ledger.close(id, fateOfProduce(resp, err))
		}
	case n < 8:
		offset := l.logEnd.Load()
		return l.fetch(offset, 0, 1<<20), func(resp ports.Message, err error) {
			if err == nil {
				l.checkFetch(l.tally, offset, resp.(*kmsg.FetchResponse))
			}
		}
	}
	name := fmt.Sprintf("none-%d-%d", l.lane, l.Uint64())
	return metadata(name), func(resp ports.Message, err error) {
		if err == nil {
			checkMetadata(l.tally, name, resp.(*kmsg.MetadataResponse))
		}
	}
}

// until runs the Polled until done returns true.
func (l *loop) until(done func() bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		l.Recv() // its results are read from the Futures
		if done() {
			return nil
		}
		l.Watch(func() {
			select {
			case l.woken <- struct{}{}:
			default:
			}
		})
		due := time.NewTimer(patience)
		if at := l.NextDeadline(); !at.IsZero() {
			due.Reset(time.Until(at))
		}
		select {
		case <-l.woken:
		case <-due.C:
		case <-ctx.Done():
			return fmt.Errorf("nothing came within %v, in state %v", patience, l.State())
		}
		due.Stop()
	}
}
