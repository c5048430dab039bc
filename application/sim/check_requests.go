package sim

import (
	"encoding/binary"
	"errors"

	"brokerconn/adapters/simulation/model"
	"brokerconn/domain"
	"brokerconn/ports"
)

// What becomes of the owner's requests.

// sent is the admission of the request that was offered last.
func (c *checker) sent() {
	q := c.offered
	c.of(q.number).open = q
	c.open++
	c.begin(q)
	c.r.story.admitted(q)
	link := c.r.tap.link
	link.due = append(link.due, q)
}

func (c *checker) canceled(q *request) { c.closed(q) }

// closed returns false if the request was not open.
func (c *checker) closed(q *request) bool {
	is := c.of(q.number)
	if is.open != q {
		return false
	}
	is.open = nil
	c.open--
	return true
}

// received is a request at the broker.
func (c *checker) received(req *model.Request) {
	c.r.trace.received(req)
	c.r.story.received(req)
	switch req.Key {
	case keyEcho, 0:
	case ports.KeyListGroups, ports.KeyFindCoordinator, ports.KeyOffsetFetch, ports.KeyMetadata:
		c.pacing.probed = true
		return
	case ports.KeySASLHandshake:
		c.handshake(req)
		return
	default:
		return
	}
	c.afterLogin(req)
	body := req.Body
	if req.Key == 0 && len(body) >= 2 {
		body = body[2:]
	}
	if len(body) < 8 {
		c.fail("its own response", "the broker received a body of %d bytes", len(body))
		return
	}
	number := int64(binary.BigEndian.Uint64(body))
	is := c.of(number)
	switch {
	case is == nil:
		c.fail("its own response", "the broker received request %d, which was never sent", number)
		return
	case is.seen:
		c.fail("once", "the broker received request %d twice", number)
	}
	if is.open != nil {
		c.inSession(req.Conn, is.open)
	}
	if is.seen = true; is.failed {
		c.whole(number, is.sent)
	}
}

// whole checks what was said of a request that failed and that the broker received whole.
func (c *checker) whole(number int64, sent domain.Sent) {
	if sent == domain.SentNothing || sent == domain.SentPartly {
		c.fail("sent as said", "request %d was %v, by its error, and the broker received it", number, sent)
	}
}

func (c *checker) completed(q *request, body []byte, failure error) {
	if !c.closed(q) {
		c.fail("once", "request %d completed, and it was not open", q.number)
	}
	c.errorText("the error of a request", failure)
	e, ok := errors.AsType[*domain.Error](failure)
	switch err := failure; {
	case err == nil && q.post:
	case err == nil:
		c.answered++
		if len(body) < 8 || int64(binary.BigEndian.Uint64(body)) != q.number {
			c.fail("its own response", "request %d was answered with % x", q.number, body[:min(len(body), 16)])
		}
		if q.number < c.last {
			c.fail("in order", "request %d was answered after %d", q.number, c.last)
		}
		c.last = q.number
	case !ok:
		c.fail("sent as said", "request %d failed with %T", q.number, err)
	default:
		if errors.Is(err, domain.ErrClosed) && c.r.closed.Before(q.at) {
			c.fail("kept open", "request %d was lost with a connection that its owner did not close", q.number)
		}
		is := c.of(q.number)
		if is.failed, is.sent = true, e.Sent; is.seen {
			c.whole(q.number, e.Sent)
		}
		if whole := e.Sent == domain.SentFully; q.whole != whole {
			c.fail("sent as said", "request %d was %v, by its error, and sent whole: %v", q.number, e.Sent, q.whole)
		}
	}
}
