package versions

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"

	"brokerconn/adapters/tcp"
)

// tally counts what an answer cost, below the library and independently of its counts.
type tally struct {
	mu sync.Mutex
	// connections is the number of dials, successful or not.
	connections int
	// roundTrips is the number of writes after a read. Several writes without a read between
	// them count once.
	roundTrips int
	// silences is the number of connections that the library closed although the broker had
	// neither answered nor closed them: those are timeouts.
	silences int
}

// dial is for netlink.Transport.
func (t *tally) dial(ctx context.Context, network, address string) (net.Conn, error) {
	t.mu.Lock()
	t.connections++
	t.mu.Unlock()
	conn, err := tcp.Dial(tcp.Options{})(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &counted{Conn: conn, t: t}, nil
}

// counted is one connection. The lock of its tally guards its fields.
type counted struct {
	net.Conn
	t        *tally
	waiting  bool // for a read since the last write
	answered bool // by at least one byte
	ended    bool // by the broker, or counted already
}

func (c *counted) Write(p []byte) (int, error) {
	c.t.mu.Lock()
	if !c.waiting {
		c.waiting = true
		c.t.roundTrips++
	}
	c.t.mu.Unlock()
	n, err := c.Conn.Write(p)
	c.saw(0, err)
	return n, err
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.saw(n, err)
	return n, err
}

func (c *counted) saw(n int, err error) {
	c.t.mu.Lock()
	defer c.t.mu.Unlock()
	if n > 0 {
		c.waiting, c.answered = false, true
	}
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
		c.ended = true
	}
}

func (c *counted) Close() error {
	c.t.mu.Lock()
	if c.waiting && !c.answered && !c.ended {
		c.ended = true
		c.t.silences++
	}
	c.t.mu.Unlock()
	return c.Conn.Close()
}
