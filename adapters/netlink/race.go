package netlink

import (
	"context"
	"errors"
	"net"
	"time"

	"brokerconn/ports"
)

// dialContext is the context of one dial function.
type dialContext struct {
	context.Context
	link *link
	i    int // in link.dials
	ep   ports.Endpoint
}

func (c *dialContext) Value(key any) any {
	switch key.(type) {
	case endpointKey:
		return c.ep
	case dialKey:
		return c
	}
	return c.Context.Value(key)
}

// report changes what is known of the dial.
func (c *dialContext) report(change func(*dialing)) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	change(&c.link.dials[c.i])
}

// dial calls the dial function for one endpoint.
func (l *link) dial(ctx context.Context, dial DialFunc, ep ports.Endpoint) (conn net.Conn, err error) {
	l.mu.Lock()
	i := len(l.dials)
	l.dials = append(l.dials, dialing{address: ep.Address})
	l.mu.Unlock()
	err = contain("the dial function", func() (err error) {
		conn, err = dial(&dialContext{ctx, l, i, ep}, ep.Network, ep.Address)
		return err
	})
	if err == nil && conn == nil {
		err = errors.New("netlink: the dial function returned neither a connection nor an error")
	}
	l.mu.Lock()
	l.dials[i].waits = err
	l.mu.Unlock()
	return conn, err
}

// only is the race of a link that was prepared, of one dial.
func (l *link) only(ctx context.Context, dial DialFunc, ep ports.Endpoint) (net.Conn, error) {
	conn, err := l.dial(ctx, dial, ep)
	l.tried(ports.Try{Endpoint: ep, Done: true, Err: err})
	return conn, err
}

// A runner is one dial of a race.
type runner struct {
	ep     ports.Endpoint
	cancel context.CancelFunc
	done   bool

	conn net.Conn
	err  error
}

// race dials the endpoints and returns the connection of the first that is reached, or the
// errors of all. The dial that is reached keeps its context: it ends with the link.
func (l *link) race(ctx context.Context, dial DialFunc, eps []ports.Endpoint, delay time.Duration) (net.Conn, error) {
	var (
		runners []*runner
		failed  failures
		arrived = make(chan *runner)
		over    = make(chan struct{})
		next    = time.NewTimer(delay)
	)
	defer next.Stop()
	defer close(over)
	start := func() {
		own, cancel := context.WithCancel(ctx)
		r := &runner{ep: eps[len(runners)], cancel: cancel}
		runners = append(runners, r)
		l.tried(ports.Try{Endpoint: r.ep})
		next.Reset(delay)
		go func() {
			r.conn, r.err = l.dial(own, dial, r.ep)
			select {
			case arrived <- r:
			case <-over:
				if r.err == nil {
					_ = r.conn.Close() // another endpoint was reached
				}
			}
		}()
	}
	for start(); len(failed) < len(eps); {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-next.C:
		case r := <-arrived:
			r.done = true
			if r.err == nil {
				for _, other := range runners {
					if !other.done {
						other.cancel()
						l.tried(ports.Try{Endpoint: other.ep, Done: true, Err: ports.ErrLostRace})
					}
				}
				l.tried(ports.Try{Endpoint: r.ep, Done: true})
				return r.conn, nil
			}
			r.cancel()
			failed = append(failed, failure{r.ep.Address, r.err})
			l.tried(ports.Try{Endpoint: r.ep, Done: true, Err: r.err})
		}
		if len(runners) < len(eps) {
			start()
		}
	}
	return nil, failed.join()
}

// tried keeps news of a try for the owner.
func (l *link) tried(t ports.Try) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tries, l.news = append(l.tries, t), true
	l.callWatcher()
}

// Tries returns the news of tries since the last call.
func (l *link) Tries() []ports.Try {
	l.mu.Lock()
	defer l.mu.Unlock()
	news := l.tries
	l.tries = nil
	return news
}
