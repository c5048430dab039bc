package domain

import (
	"time"

	"brokerconn/ports"
)

// The lookup, the link and the exchange under way are polled in turn. Where they can
// report that they are ready, the owner may wait for that instead.

// listen asks what is under way until one has news. It reports whether there was any. News of an
// exchange may drop the connection, whose link is not asked then.
func (c *Connection) listen(now time.Time) (news bool) {
	switch {
	case c.lookup != nil:
		return c.listenLookup(now)
	case c.link == nil, c.drained && !c.asked:
		return false
	case c.stage != ports.StageEstablished:
		return c.listenStage(now)
	}
	if c.asked && c.listenExchange(now) {
		return true
	}
	return c.parker == nil && !c.drained && c.receive(now)
}

func (c *Connection) listenLookup(now time.Time) bool {
	var eps []ports.Endpoint
	err := ports.ErrWouldBlock
	c.guard("transport", func() { eps, err = c.lookup.Result() })
	if ports.WouldBlock(err) {
		return c.m.isBroken()
	}
	lookup := c.lookup
	c.lookup = nil
	c.guard("transport", lookup.Close)
	c.m.HandleAddresses(now, c.epoch, eps, err)
	return true
}

func (c *Connection) listenStage(now time.Time) bool {
	stage, err := c.stage, ports.ErrWouldBlock
	var tries []ports.Try
	c.guard("transport", func() {
		reached, failure := c.link.Stage()
		if reached > ports.StageEstablished {
			panic("invalid stage")
		}
		if racing, ok := c.link.(ports.RacingLink); ok {
			tries = racing.Tries() // those up to this stage, at least
		}
		stage, err = reached, failure
	})
	for _, t := range tries {
		c.m.HandleTry(now, c.epoch, t)
	}
	risen := stage > c.stage
	c.stage = stage
	failed := err != nil && !ports.WouldBlock(err)
	if risen || failed {
		c.listenWarnings(now)
	}
	if risen {
		if stage == ports.StageEstablished {
			c.m.refer(c.gathers())
		}
		c.m.HandleStage(now, c.epoch, stage)
	}
	if failed {
		c.lost(now, c.epoch, err)
		return true
	}
	return risen || len(tries) > 0 || c.m.isBroken()
}

// lost reports the loss of a link, with what it says itself about what may have closed it.
func (c *Connection) lost(now time.Time, epoch uint64, err error) {
	if h, ok := c.link.(ports.Hinter); ok && epoch == c.epoch {
		c.guard("transport", func() {
			if hint := h.Hint(); hint != "" {
				err = &closedOnTheWay{err, hint}
			}
		})
	}
	c.m.HandleLost(now, epoch, err)
}

func (c *Connection) listenWarnings(now time.Time) {
	w, ok := c.link.(ports.Warner)
	if !ok {
		return
	}
	var texts []string
	c.guard("transport", func() { texts = w.Warnings() })
	if len(texts) > 0 {
		c.m.HandleWarnings(now, c.epoch, texts)
	}
}

func (c *Connection) receive(now time.Time) bool {
	n, err := c.read(c.m.Space())
	news := c.m.handleRead(now, c.epoch, n)
	switch {
	case err == nil: // there may be more
		news = n > 0
	case !ports.WouldBlock(err):
		c.lost(now, c.epoch, err)
		return true
	case n > 0 && c.sendErr == nil:
		c.drained = true
	case n > 0:
		return true
	case c.sendErr != nil:
		c.lost(now, c.epoch, c.sendErr)
		return true
	}
	return news || c.m.isBroken()
}

func (c *Connection) read(space []byte) (n int, err error) {
	err = ports.ErrWouldBlock // if the link panics
	returned := false
	defer func() {
		if !returned {
			c.contain("transport", recover())
		}
	}()
	got, end := c.link.Recv(space)
	mustFit(got, space)
	returned = true
	return got, end
}

// awaited lists what said ErrWouldBlock when it was last asked: the transport's
// first, then the authenticator's.
func (c *Connection) awaited() (list [2]any) {
	switch {
	case c.lookup != nil:
		list[0] = c.lookup
	case c.link != nil && (c.parker == nil || c.stage != ports.StageEstablished):
		list[0] = c.link
	}
	if c.asked {
		list[1] = c.exchange
	}
	return list
}

// Awaiting is what a Selector is to wait for: what said ErrWouldBlock when it was
// last asked, or nil for the time alone.
func (c *Connection) Awaiting() any {
	list := c.awaited()
	if list[1] != nil {
		return list[1]
	}
	return list[0]
}

// onlyLink reports whether the link is all that said so.
func (c *Connection) onlyLink() bool {
	return c.link != nil && c.lookup == nil && !c.asked && (c.parker == nil || c.stage != ports.StageEstablished)
}

// mustPoll reports whether something is awaited that cannot tell when it is ready. Most links can, and are all that
// is awaited.
func (c *Connection) mustPoll() bool { return (c.watches == nil || c.asked) && c.polls() }

func (c *Connection) polls() bool {
	for i, what := range c.awaited() {
		if what != nil && c.watcher(i, what) == nil {
			return true
		}
	}
	return false
}

// watcher returns the ith of those awaited as a Watcher, nil if it is not one.
func (c *Connection) watcher(i int, what any) ports.Watcher {
	if i == 0 && c.link != nil {
		return c.watches
	}
	w, _ := what.(ports.Watcher)
	return w
}

// Watch asks for a call of f when Step has something to do before the Deadline of the
// last Idle. f is called on another stack, at most once for each port under way, and
// possibly without need. broken reports that a port panicked, so that Step has something
// to do already.
func (c *Connection) Watch(f func()) (broken bool) {
	if c.onlyLink() {
		if c.watches != nil {
			c.watch("transport", c.watches, f)
		}
		return c.m.isBroken()
	}
	list := c.awaited()
	for i, port := range [...]string{"transport", "authenticator"} {
		if w := c.watcher(i, list[i]); w != nil && list[i] != nil {
			c.watch(port, w, f)
		}
	}
	return c.m.isBroken()
}

func (c *Connection) watch(port string, w ports.Watcher, f func()) {
	returned := false
	defer func() {
		if !returned {
			c.contain(port, recover())
		}
	}()
	w.Watch(f)
	returned = true
}
