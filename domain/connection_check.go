package domain

import (
	"errors"
	"time"

	"brokerconn/ports"
)

// A request that goes out on a connection which the peer has closed meanwhile is
// lost, and whether the broker acted on it is unknown. So the first one after a
// while of silence is preceded by a look at the link: if the end has arrived, the
// connection goes down before anything is written, and the request finds that out
// in time to take the next.

// checkAfter is how long nothing has to have happened before it is worth a system
// call.
const checkAfter = 10 * time.Millisecond

// Check looks whether the peer has closed a connection on which nothing happened
// for a while. It is called before a request is admitted. news: Step has something
// to do. unread: the link has to be read before anything is known.
func (c *Connection) Check(now time.Time) (news, unread bool) {
	if c.link == nil || c.m.Idle(now) < checkAfter {
		return false, false
	}
	if c.parker == nil {
		return c.receive(now), false
	}
	link, ok := c.link.(ports.Checker)
	if !ok {
		return false, false
	}
	var err error
	c.guard("transport", func() { err = link.Check() })
	unread = errors.Is(err, ports.ErrUnread)
	if err != nil && !unread {
		c.lost(now, c.epoch, err)
		news = true
	}
	return news || c.m.isBroken(), unread
}
