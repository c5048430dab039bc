package domain_test

import (
	"io"
	"testing"

	"brokerconn/domain"
	"brokerconn/ports"
)

// wantPending checks what is said of the bytes that wait.
func (c *cycle) wantPending(t *testing.T, when string, want int) {
	t.Helper()
	if got, stats := c.m.PendingBytes(), c.m.Stats().PendingBytes; got != want || stats != want {
		t.Errorf("%s: PendingBytes %d, Stats %d, want %d", when, got, stats, want)
	}
	if room := want < 100; c.m.CanSendMore() != room {
		t.Errorf("%s: CanSendMore %t, want %t", when, !room, room)
	}
}

// TestPendingBytesOfADroppedConnection: no bytes wait once the connection is dropped, before
// its requests have failed as after, but for those of a writer that is still at work.
func TestPendingBytesOfADroppedConnection(t *testing.T) {
	for name, writing := range map[string]bool{"no writer": false, "a writer": true} {
		c := newCycle(t, 0, func(cfg *domain.Config) { cfg.MaxPendingBytes = 100 })
		send := func() {
			if _, err := c.m.Send(c.now, newNote("hello!"), 0); err != nil {
				t.Fatal(err)
			}
		}
		send()
		one := c.m.PendingBytes() // a request's bytes
		var lent domain.Output
		if writing {
			lent = c.m.Next()
		}
		for range 3 {
			send()
		}
		c.wantPending(t, name+", up", 4*one)
		if got := c.m.ResponsesDue(); got != 4 {
			t.Errorf("%s, up: got %d responses due, want 4", name, got)
		}
		c.m.HandleLost(c.now, c.m.Epoch(), io.EOF)
		if got := c.m.ResponsesDue(); got != 0 {
			t.Errorf("%s, dropped: got %d responses due, want 0", name, got)
		}
		if writing {
			c.wantPending(t, name+", dropped", 4*one)
			c.drain()
			c.wantPending(t, name+", not back", 4*one)
			c.m.HandleWritten(c.now, lent.Epoch, one/2)
		}
		c.wantPending(t, name+", none at work", 0)
		if failed := c.drain(); failed != 4 {
			t.Errorf("%s: %d requests failed, want 4", name, failed)
		}
		c.wantPending(t, name+", failed", 0)
		c.connect()
		c.establish()
		c.wantPending(t, name+", on the next connection", 0)
		send()
		c.wantPending(t, name+", sent there", one)
	}
}

// connect begins another connection.
func (c *cycle) connect() {
	c.now = c.m.NextDeadline() // the end of the backoff
	c.m.Connect(c.now, domain.ConnectOptions{})
	c.drain()
}

// TestSpaceOfADroppedConnection: a reader that asks for space before it notices that its
// connection was dropped has memory of its own, into which it reads until its link is closed.
func TestSpaceOfADroppedConnection(t *testing.T) {
	for _, when := range []string{"up", "dropped"} {
		c := newCycle(t, 0)
		old := c.m.Space()
		c.m.HandleLost(c.now, c.m.Epoch(), io.EOF)
		if when == "dropped" {
			old = c.m.Space()
		}
		c.drain()
		c.connect()
		c.establish()
		if c.m.State() != domain.Connected || len(old) == 0 {
			t.Fatalf("%s: %v, with %d bytes of space", when, c.m.State(), len(old))
		}
		next := c.m.Space()
		if &old[len(old)-1] == &next[len(next)-1] {
			t.Errorf("%s: the space is the next connection's as well", when)
		}
	}
}

// TestVersionsOfADroppedConnection: the table of a connection is not that of the next, before
// its broker has answered.
func TestVersionsOfADroppedConnection(t *testing.T) {
	c := newCycle(t, 0)
	known := func(when string, want bool) {
		t.Helper()
		if got := c.m.Versions() != nil; got != want {
			t.Errorf("%s: known %t, want %t", when, got, want)
		}
		if min, max, ok := c.m.Versions().Range(ports.KeyMetadata); ok != want || !want && (min != 0 || max != 0) {
			t.Errorf("%s: got the range %d to %d, %t; want %t, and zero if it is not known", when, min, max, ok, want)
		}
	}
	known("connected", true)
	c.m.HandleLost(c.now, c.m.Epoch(), io.EOF)
	known("dropped", false)
	c.drain()
	c.connect()
	known("connecting", false)
	c.establish()
	known("connected again", true)
}

// TestReadOfMoreThanSpace: bytes for which Space had no room are a defect of the caller's.
func TestReadOfMoreThanSpace(t *testing.T) {
	c := newCycle(t, 0)
	for _, n := range []int{-1, len(c.m.Space()) + 1} {
		func() {
			defer func() {
				if got, want := recover(), "domain: HandleRead of bytes that Space has no room for"; got != want {
					t.Errorf("%d bytes: panic %v, want %q", n, got, want)
				}
			}()
			c.m.HandleRead(c.now, c.m.Epoch(), n)
		}()
	}
}
