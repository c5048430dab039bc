package domain_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"

	"pgregory.net/rapid"
)

// wild is a Connection, polled or parked, in a world of scripted ports, with an
// owner that brings leases back whenever it likes. What must hold: each request
// completes once, with its own answer or with how much of it had left; at most one
// link is open, and none is opened while a writer is out; a reader of an old link
// spoils nothing.
type wild struct {
	*bench
	t        *rapid.T
	requests map[int32]*domain.Future
	writing  []domain.Lease // at most one
	reading  []domain.Lease // one for each link that is not forgotten
	answered int            // of link.out, what the broker has taken up
	links    []*fakeLink
	seen     map[string]int

	places map[int32]place
	epoch  uint64 // of the link whose bytes end counts
	end    int    // of the bytes of all requests admitted on it
}

type place struct {
	link  *fakeLink
	start int
}

func newWild(t *testing.T, rt *rapid.T, seen map[string]int) *wild {
	parked := rapid.Bool().Draw(rt, "parked")
	deaf := !parked && rapid.Bool().Draw(rt, "deaf")
	b := newBench(t, func(b *bench) { b.tr.parker, b.tr.deaf = parked, deaf })
	return &wild{bench: b, t: rt, requests: map[int32]*domain.Future{}, seen: seen, places: map[int32]place{}}
}

// step takes one output; false: Idle.
func (w *wild) step() bool {
	out := w.Step(w.now, false)
	if link := w.tr.link; link != nil && (len(w.links) == 0 || w.links[len(w.links)-1] != link) {
		for _, old := range w.links {
			if !old.closed {
				w.t.Fatal("a link was opened beside another")
			}
		}
		if len(w.writing) > 0 {
			w.t.Fatal("a link was opened while a writer is out")
		}
		w.links, w.answered = append(w.links, link), 0
	}
	switch out.Kind {
	case domain.Idle:
		if !out.Deadline.IsZero() && !out.Deadline.After(w.now) {
			w.t.Fatalf("idle until %v, and it is %v", out.Deadline, w.now)
		}
		return false
	case domain.Completed:
		w.complete(out.Future)
	}
	return true
}

func (w *wild) drain() {
	for range 1000 {
		if !w.step() {
			return
		}
	}
	w.t.Fatal("never idle")
}

func (w *wild) complete(f *domain.Future) {
	if w.requests[f.CorrelationID] != f {
		w.t.Fatalf("#%d is not awaited", f.CorrelationID)
	}
	delete(w.requests, f.CorrelationID)
	if f.Err() == nil {
		w.seen["answered"]++
		if want := fmt.Sprintf("answer %d", f.CorrelationID); string(f.Body()) != want {
			w.t.Fatalf("#%d has body %q", f.CorrelationID, f.Body())
		}
	} else {
		w.seen[f.Sent().String()]++
		if want := w.sent(f.CorrelationID); f.Sent() != want {
			w.t.Fatalf("#%d says %v and was %v", f.CorrelationID, f.Sent(), want)
		}
	}
	w.Recycle(f)
}

// send admits a request of 20 bytes and notes its place on the link. Whatever the
// core had to say is out when the first one is admitted.
func (w *wild) send() {
	f, err := w.Send(w.now, newNote("hello!"), 0)
	if err != nil {
		return
	}
	if w.epoch != w.Epoch() {
		w.epoch, w.end = w.Epoch(), len(w.tr.link.out)
	}
	w.requests[f.CorrelationID] = f
	w.places[f.CorrelationID] = place{w.tr.link, w.end}
	w.end += 20
}

// sent is how much of a request its link took.
func (w *wild) sent(id int32) domain.Sent {
	p := w.places[id]
	switch n := len(p.link.out) - p.start; {
	case n <= 0:
		return domain.SentNothing
	case n < 20:
		return domain.SentPartly
	}
	return domain.SentFully
}

// serve lets the broker answer the whole frames that arrived.
func (w *wild) serve() {
	link := w.tr.link
	if link == nil || link.closed {
		return
	}
	for len(link.out)-w.answered >= 4 {
		f := link.out[w.answered:]
		end := 4 + int(binary.BigEndian.Uint32(f))
		if len(f) < end {
			return
		}
		w.answered += end
		key, version := int16(binary.BigEndian.Uint16(f[4:])), int16(binary.BigEndian.Uint16(f[6:]))
		id := int32(binary.BigEndian.Uint32(f[8:]))
		if key == ports.KeyAPIVersions {
			w.say(frame(id, tableBody(0, version, standardTable)))
		} else {
			w.say(frame(id, fmt.Appendf(nil, "answer %d", id)))
		}
	}
}

func (w *wild) takeLeases() {
	if l, ok := w.TakeWrite(); ok {
		w.writing = append(w.writing, l)
	}
	if l, ok := w.TakeRead(); ok {
		w.reading = append(w.reading, l)
	}
}

// giveWrite brings the writer back, n bytes further.
func (w *wild) giveWrite(n int, err error) {
	if len(w.writing) == 0 {
		return
	}
	l := w.writing[0]
	w.writing = nil
	if n = min(n, len(l.Bytes)); n == len(l.Bytes) {
		err = nil
	}
	link := l.Link.(*fakeParker).fakeLink
	link.out = append(link.out, l.Bytes[:n]...)
	w.GiveWrite(w.now, l, n, err)
}

// giveRead brings a reader back: with bytes of its link, or with an error if
// there are none. What it did not fill it scribbled over.
func (w *wild) giveRead(i int, err error) {
	if len(w.reading) == 0 {
		return
	}
	i %= len(w.reading)
	l := w.reading[i]
	w.reading = append(w.reading[:i], w.reading[i+1:]...)
	for j := range l.Bytes {
		l.Bytes[j] = 0xff
	}
	link := l.Link.(*fakeParker).fakeLink
	n, end := link.Recv(l.Bytes)
	switch {
	case n > 0:
		err = nil
	case link.closed:
		err = io.ErrClosedPipe
	case !errors.Is(end, ports.ErrWouldBlock):
		err = end
	}
	w.GiveRead(w.now, l, n, err)
}

func (w *wild) up() {
	for range 40 {
		w.drain()
		switch {
		case w.State() == domain.Connected:
			return
		case w.State() == domain.Disconnected:
			w.now = w.now.Add(2 * time.Second)
			w.Connect(w.now, domain.ConnectOptions{})
		case w.tr.lookup != nil && w.tr.lookup.err != nil:
			w.resolved(1)
		case w.tr.link != nil && w.tr.link.stage != ports.StageEstablished:
			w.tr.link.stage, w.tr.link.stageErr = ports.StageEstablished, nil
		default:
			w.takeLeases()
			w.giveWrite(1<<30, nil)
			w.serve()
			w.giveRead(len(w.reading), ports.ErrInterrupted)
		}
	}
}

func (w *wild) resolved(n int) {
	if l := w.tr.lookup; l != nil {
		l.eps, l.err = make([]ports.Endpoint, n), nil
		if n == 0 {
			l.err = errors.New("no such host")
		}
	}
}

func TestConnectionAgainstModel(t *testing.T) {
	seen := map[string]int{"answered": 0, "not sent": 0, "partly sent": 0, "fully sent": 0}
	broken := errors.New("broken pipe")
	check := func(rt *rapid.T) {
		w := newWild(t, rt, seen)
		if rapid.Bool().Draw(rt, "begin up") {
			w.up()
		}
		below := func(n int, label string) int { return rapid.IntRange(0, n-1).Draw(rt, label) }
		onLink := func(f func(*fakeLink)) {
			if w.tr.link != nil {
				f(w.tr.link)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"step":     func(*rapid.T) { w.step() },
			"drain":    func(*rapid.T) { w.drain() },
			"up":       func(*rapid.T) { w.up() },
			"connect":  func(*rapid.T) { w.Connect(w.now, domain.ConnectOptions{}) },
			"resolved": func(*rapid.T) { w.resolved(below(3, "addresses")) },
			"send":     func(*rapid.T) { w.send() },
			"exchange": func(*rapid.T) {
				w.up()
				for range 1 + below(4, "requests") {
					w.send()
				}
				w.takeLeases()
				w.step()
				w.giveWrite(20+below(60, "n"), ports.ErrInterrupted)
				w.serve()
				w.giveRead(len(w.reading), ports.ErrInterrupted)
				w.step()
			},
			"stage": func(*rapid.T) {
				onLink(func(l *fakeLink) {
					if s := ports.Stage(1 + below(2, "stage")); s > l.stage {
						l.stage = s
						if s == ports.StageEstablished {
							l.stageErr = nil
						}
					}
				})
			},
			"room":  func(*rapid.T) { onLink(func(l *fakeLink) { l.room = below(60, "room") }) },
			"serve": func(*rapid.T) { w.serve() },
			"take":  func(*rapid.T) { w.takeLeases() },
			"written": func(*rapid.T) {
				w.giveWrite(below(60, "n"), rapid.SampledFrom([]error{ports.ErrInterrupted, broken}).Draw(rt, "error"))
			},
			"read": func(*rapid.T) { w.giveRead(below(4, "which"), ports.ErrInterrupted) },
			"time": func(*rapid.T) { w.now = w.now.Add(time.Duration(below(3000, "ms")) * time.Millisecond) },
			"trouble": func(*rapid.T) {
				[]func(){
					func() { onLink(func(l *fakeLink) { l.eof = io.EOF }) },
					func() { onLink(func(l *fakeLink) { l.room, l.sendErr = below(30, "room"), broken }) },
					func() { onLink(func(l *fakeLink) { l.stageErr = broken }) },
					func() { w.Close(w.now, nil, false) },
					func() { w.now = w.now.Add(time.Duration(below(40, "s")) * time.Second) },
				}[below(5, "trouble")]()
			},
		})
		w.Close(w.now, nil, true)
		w.drain()
		w.giveWrite(1<<30, nil)
		for len(w.reading) > 0 {
			w.giveRead(0, ports.ErrInterrupted)
		}
		w.drain()
		if len(w.requests) != 0 {
			w.t.Fatalf("%d requests are never done", len(w.requests))
		}
		for i, l := range w.links {
			if !l.closed {
				w.t.Fatalf("link %d of %d was left open", i, len(w.links))
			}
		}
	}
	for range 10 {
		rapid.Check(t, check)
	}
	t.Log(seen)
	for what, n := range seen {
		if n == 0 {
			t.Errorf("never %s: the driver is too weak", what)
		}
	}
}
