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
	// connections are those that were tried, made or not.
	connections int
	// roundTrips are how often something was said after all was heard that had come
	// until then. Requests behind each other without that are one.
	roundTrips int
	// silences are connections that were given up although the broker had neither
	// answered anything nor closed them: how a wait for a timeout looks from below.
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

// counted is one connection. What it knows is under the lock of its tally.
type counted struct {
	net.Conn
	t        *tally
	waiting  bool // something was said since something was heard
	answered bool // something was heard at all
	ended    bool // by the broker, or already judged
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
