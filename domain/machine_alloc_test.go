package domain_test

import (
	"encoding/binary"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// cycle is the life of a request once a connection is up: admitted, written,
// answered, reported, handed back.
type cycle struct {
	m        *domain.Machine
	now      time.Time
	req      ports.Message
	answer   []byte
	together []byte // answers
	borrows  bool   // the body is taken, looked at, and its memory given back
}

func newCycle(tb testing.TB, body int, change ...func(*domain.Config)) *cycle {
	c := &cycle{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), req: newNote("hello!"),
		answer: frame(0, make([]byte, body))}
	cfg := domain.Complete(domain.Config{Host: "broker", Codec: &textCodec{}})
	for _, set := range change {
		set(&cfg)
	}
	c.m = domain.NewMachine(cfg)
	c.m.Connect(c.now, domain.ConnectOptions{})
	c.drain()
	c.establish()
	if c.m.State() != domain.Connected {
		tb.Fatal(c.m.State())
	}
	return c
}

// establish makes the connection under way ready.
func (c *cycle) establish() {
	epoch := c.m.Epoch()
	c.m.HandleAddresses(c.now, epoch, []ports.Endpoint{{Address: "a"}}, nil)
	c.drain()
	c.m.HandleStage(c.now, epoch, ports.StageEstablished)
	c.drain()
	c.read(frame(1, tableBody(0, 4, standardTable)))
	c.drain()
}

// drain carries out what Next says, and hands back what is done.
func (c *cycle) drain() (done int) {
	for {
		switch out := c.m.Next(); out.Kind {
		case domain.Idle:
			return done
		case domain.Transmit:
			c.m.HandleWritten(c.now, out.Epoch, len(out.Data))
		case domain.Completed:
			var memory []byte
			if c.borrows {
				_, memory = out.Future.TakeBody()
			}
			c.m.Recycle(out.Future)
			c.m.ReuseBody(c.now, memory)
			done++
		}
	}
}

func (c *cycle) read(p []byte) {
	for len(p) > 0 {
		n := copy(c.m.Space(), p)
		c.m.HandleRead(c.now, c.m.Epoch(), n)
		p = p[n:]
	}
}

func (c *cycle) once(tb testing.TB) {
	c.now = c.now.Add(time.Millisecond)
	f, err := c.m.Send(c.now, c.req, 0)
	if err != nil {
		tb.Fatal(err)
	}
	c.drain()
	id := f.CorrelationID
	binary.BigEndian.PutUint32(c.answer[4:], uint32(id))
	c.read(c.answer)
	if c.drain() != 1 {
		tb.Fatal("not answered")
	}
}

// In the steady state a request costs no allocation, as long as its answer fits
// the inbox.
func TestCycleDoesNotAllocate(t *testing.T) {
	for _, body := range []int{0, 100, 16_000} {
		c := newCycle(t, body)
		for range 10 {
			c.once(t)
		}
		if n := testing.AllocsPerRun(1000, func() { c.once(t) }); n != 0 {
			t.Errorf("body of %d bytes: %v allocations", body, n)
		}
	}
	// A large body is one allocation: its own.
	c := newCycle(t, 100_000)
	c.once(t)
	if n := testing.AllocsPerRun(100, func() { c.once(t) }); n > 1 {
		t.Errorf("large body: %v allocations", n)
	}
}

// Nor does a body that is only looked at, whatever its size.
func TestBorrowedBodiesDoNotAllocate(t *testing.T) {
	for _, body := range []int{0, 100, 16_000, 20_000, 1 << 20, 6 << 20} {
		c := newCycle(t, body)
		c.borrows = true
		for range 10 {
			c.once(t)
		}
		if n := testing.AllocsPerRun(20, func() { c.once(t) }); n != 0 {
			t.Errorf("body of %d bytes: got %v allocations, want 0", body, n)
		}
	}
}

// window has n requests in flight, which are written together and answered together.
func (c *cycle) window(tb testing.TB, n int) {
	c.now = c.now.Add(time.Millisecond)
	c.together = c.together[:0]
	for range n {
		f, err := c.m.Send(c.now, c.req, 0)
		if err != nil {
			tb.Fatal(err)
		}
		binary.BigEndian.PutUint32(c.answer[4:], uint32(f.CorrelationID))
		c.together = append(c.together, c.answer...)
	}
	c.drain()
	c.read(c.together)
	if got := c.drain(); got != n {
		tb.Fatalf("got %d responses, want %d", got, n)
	}
}

// What the core takes for a request beside the socket: alone, as one of a window, and with a large response.
func BenchmarkMachineCycle(b *testing.B) {
	for _, one := range []struct {
		name         string
		body, window int
	}{{"alone", 100, 1}, {"one of 64", 100, 64}, {"one of 256", 100, 256}, {"1 MiB response", 1 << 20, 1}} {
		b.Run(one.name, func(b *testing.B) {
			c := newCycle(b, one.body, func(cfg *domain.Config) { cfg.MaxInFlight = 256 })
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%one.window == 0 { // all of a window are paid for by its first
					c.window(b, one.window)
				}
			}
		})
	}
}
