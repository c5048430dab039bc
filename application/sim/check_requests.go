package sim

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"

	"brokerconn/adapters/simulation/model"
	"brokerconn/application/sim/servers"
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

// dropped is a response that was taken for one to a request that expects none.
func (c *checker) dropped() {
	if c.r.Faults == 0 && c.r.plan.Setup.Peer == "" {
		c.fail("its own response", "a response was dropped, and the broker sent those alone that are due")
	}
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
	c.r.watcher.received(c.r.w.Elapsed(), req)
	asked := numberIn(req)
	switch req.Key {
	case keyEcho, 0:
	case ports.KeyAPIVersions:
		c.asked = c.r.release
		return
	case ports.KeyListGroups, ports.KeyFindCoordinator, ports.KeyOffsetFetch, ports.KeyMetadata:
		if asked > 0 {
			c.negotiated(req)
			break
		}
		c.asked, c.pacing.probed = c.r.release, true
		return
	case ports.KeySASLHandshake:
		c.handshake(req)
		return
	default:
		return
	}
	c.afterLogin(req)
	if c.r.broker.NodeID != nodeID && c.r.plan.Setup.Expect && c.r.compares() && c.misled != req.Conn {
		c.fail("the broker meant", "another one received request %d v%d", req.Key, req.Version)
	}
	body := req.Body
	if asked > 0 {
		body = binary.BigEndian.AppendUint64(nil, uint64(asked))
	}
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
		if !q.whole {
			c.fail("sent as said", "request %d, which expects no response, completed before it was sent", q.number)
		}
	case err == nil:
		c.answered++
		if len(body) < 8 || int64(binary.BigEndian.Uint64(body)) != q.number {
			c.fail("its own response", "request %d was answered with % x", q.number, body[:min(len(body), 16)])
		}
		if q.number < c.last {
			c.fail("in order", "request %d was answered after %d", q.number, c.last)
		}
		c.last = q.number
		if d := c.of(q.number).throttle; d > 0 {
			c.mustThrottle(d)
		}
	case !ok:
		c.fail("sent as said", "request %d failed with %T", q.number, err)
	default:
		if errors.Is(err, domain.ErrClosed) && c.r.closed.Before(q.at) {
			c.fail("kept open", "request %d was lost with a connection that its owner did not close", q.number)
		}
		if e.Kind == domain.ErrRequestTimeout {
			c.early(q)
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

// negotiated checks the version of an asked request at the broker. One that was taken for a release
// before 0.10 is not asked again before a connection is lost, whatever it has become.
func (c *checker) negotiated(req *model.Request) {
	most, _ := kafkacodec.MaxVersion(req.Key)
	apis := c.r.broker.APIs
	if c.taken != "" {
		apis = servers.APIs(servers.PlaceOf(c.taken))
	}
	for _, a := range apis {
		if a.Key == req.Key && req.Version != min(a.Max, most) {
			c.fail("negotiated", "a request is of version %d where the broker has %d to %d", req.Version, a.Min, a.Max)
		}
	}
}

// unsupported checks the error of a request that cannot be sent in any version that the broker lists.
func (c *checker) unsupported(q *request, err error) {
	c.r.watcher.completed(c.r.w.Elapsed(), q.number, err)
	for _, a := range c.r.broker.APIs {
		if a.Key == ports.KeyMetadata && !a.Unlisted {
			c.fail("negotiated", "request %d was refused: %v", q.number, err)
		}
	}
}

// Requests that are messages of the codec: Metadata of a topic that has the request's number as its
// name. Their version is negotiated, and their throttle times count.

// ask puts such a request into the owner's queue.
func (r *run) ask() {
	q := r.enqueue()
	topic, name := kmsg.NewMetadataRequestTopic(), strconv.FormatInt(q.number, 10)
	topic.Topic = &name
	q.asked = kmsg.NewPtrMetadataRequest()
	q.asked.Topics = append(q.asked.Topics, topic)
}

// numberIn returns the number of an asked request that the broker has received, 0 for any other.
func numberIn(req *model.Request) int64 {
	if req.Key != ports.KeyMetadata {
		return 0
	}
	return numberOf(servers.Topics(req))
}

func numberOf(topics []string) int64 {
	if len(topics) != 1 {
		return 0
	}
	n, err := strconv.ParseInt(topics[0], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// numberInAnswer returns the number of the request that a message answers, 0 if it has none.
func numberInAnswer(m ports.Message) int64 {
	resp, ok := m.(*kmsg.MetadataResponse)
	if !ok || len(resp.Topics) != 1 || resp.Topics[0].Topic == nil {
		return 0
	}
	return numberOf([]string{*resp.Topics[0].Topic})
}

// decoded reads the answer to an asked request.
func decoded(q *request, version int16, body []byte) ports.Message {
	m, err := kafkacodec.Codec{}.Decode(q.asked, version, bytes.Clone(body))
	if err != nil {
		return nil
	}
	return m
}
