package domain_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

func (p *fakeParker) Check() error {
	p.t.note("check")
	return p.ended
}

func TestCheckAfterSilence(t *testing.T) {
	const soon = 10 * time.Millisecond
	for _, c := range []struct {
		name     string
		parked   bool
		silence  time.Duration
		waiting  bool // a request is in flight
		ended    error
		panics   bool
		wantNews bool // that the connection is down
		looked   bool
		unread   bool
	}{
		{name: "parked, at once", parked: true, silence: soon - 1, ended: io.EOF},
		{name: "parked, open", parked: true, silence: soon, looked: true},
		{name: "parked, ended", parked: true, silence: soon, ended: io.EOF, wantNews: true, looked: true},
		{name: "parked, unread", parked: true, silence: soon, ended: ports.ErrUnread, looked: true, unread: true},
		{name: "parked, in flight", parked: true, silence: time.Minute / 3, waiting: true, ended: io.EOF},
		{name: "parked, panics", parked: true, silence: soon, panics: true, wantNews: true, looked: true},
		{name: "polled, at once", silence: soon - 1, ended: io.EOF},
		{name: "polled, open", silence: soon},
		{name: "polled, ended", silence: soon, ended: io.EOF, wantNews: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, func(b *bench) { b.tr.parker = c.parked })
			if c.parked {
				b.established().parkedUp()
			} else {
				b.connected()
			}
			if c.waiting {
				b.send("hello!")
			}
			b.now = b.now.Add(c.silence)
			if c.ended != nil {
				b.tr.link.ended, b.tr.link.eof = c.ended, c.ended
			}
			if c.panics {
				b.tr.panicsOn = "check"
			}
			b.tr.journal = nil
			if news, unread := b.Check(b.now); news != c.wantNews || unread != c.unread {
				t.Errorf("news, unread: got %v, %v, want %v, %v", news, unread, c.wantNews, c.unread)
			}
			if looked := strings.Contains(strings.Join(b.tr.journal, " "), "check"); looked != c.looked {
				t.Errorf("looked: got %v, want %v", looked, c.looked)
			}
			if !c.wantNews {
				b.wantState(domain.Connected)
				return
			}
			b.steps()
			b.wantState(domain.Disconnected)
			if !errors.Is(b.LastError(), domain.ErrConnection) {
				t.Errorf("got %v, want %v", b.LastError(), domain.ErrConnection)
			}
		})
	}
}

// TestCheckReportsInTime: what is sent to a connection that has ended meanwhile is
// refused, and not lost.
func TestCheckReportsInTime(t *testing.T) {
	b := newParked(t).parkedUp()
	b.now = b.now.Add(time.Minute)
	b.tr.link.ended = io.EOF
	b.Check(b.now)
	if _, err := b.Send(b.now, newNote("hello!"), 0); !errors.Is(err, domain.ErrNotConnected) ||
		!domain.SafeToRetry(err) {
		t.Errorf("got %v, want %v, safe to retry", err, domain.ErrNotConnected)
	}
}

// What lies to be read in a parked link is read before timers end: the process may have been stopped, or the owner may
// have called a slow hook. That is once for each deadline: a peer that sends a byte at a time puts none off for good.
func TestParkedLinkIsReadBeforeTimersEnd(t *testing.T) {
	b := newParked(t).parkedUp()
	f := b.send("hello!")
	b.steps()
	b.writeAll()
	r := b.takeRead()
	b.now = b.now.Add(time.Hour)
	b.tr.link.ended = ports.ErrUnread
	if outs, idle := b.steps(); len(outs) > 0 || !idle.Deadline.Equal(b.now.Add(10*time.Millisecond)) {
		t.Errorf("got %d outputs and a deadline in %v, want none and one in 10ms", len(outs), idle.Deadline.Sub(b.now))
	}
	b.hand(r, frame(f.CorrelationID, []byte("world")))
	if outs, _ := b.steps(); len(outs) != 1 || outs[0].Future != f || f.Err() != nil {
		t.Errorf("got %d outputs and error %v, want the response", len(outs), f.Err())
	}

	f = b.send("hello!")
	b.steps()
	b.writeAll()
	b.now = b.now.Add(time.Hour)
	b.steps()
	b.now = b.now.Add(10*time.Millisecond - 1)
	b.tr.link.ended = nil // the owner has taken it, and brings it next
	if _, idle := b.steps(); f.Done() || !idle.Deadline.Equal(b.now.Add(1)) {
		t.Errorf("got error %v and a deadline in %v behind another alarm, want none, and the rest of the 10ms", f.Err(),
			idle.Deadline.Sub(b.now))
	}
	b.tr.link.ended = ports.ErrUnread
	b.now = b.now.Add(1)
	b.steps()
	if err := f.Err(); !errors.Is(err, domain.ErrRequestTimeout) {
		t.Errorf("got %v from a peer whose answer never ends, want a timeout", err)
	}
}
