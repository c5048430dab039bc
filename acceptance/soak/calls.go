package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
	"brokerconn/ports"
)

// A choice is a source of what a caller or the faults do next.
type choice struct{ *rand.Rand }

// choiceOf is the source with a number, for a seed.
func choiceOf(seed uint64, number int) choice {
	return choice{rand.New(rand.NewPCG(seed, uint64(number)))}
}

// in reports true in one of n cases.
func (c choice) in(n int) bool { return c.IntN(n) == 0 }

// upTo is a time below d.
func (c choice) upTo(d time.Duration) time.Duration { return time.Duration(c.Int64N(int64(d))) }

// size is the size of a record: most are small, some as large as they may be.
func (c choice) size(largest int) int {
	if c.in(60) {
		return 1 + c.IntN(largest)
	}
	return 1 + c.IntN(600)
}

func (c choice) acks() int16 { return [...]int16{-1, -1, 1, 1, 0}[c.IntN(5)] }

// A caller is a goroutine that makes one call after the other on a Conn.
type caller struct {
	*soak
	*member
	choice
	lane int
}

func (c *caller) run(over <-chan struct{}) {
	for {
		c.step()
		select {
		case <-over:
			return
		case <-time.After(c.upTo(c.idle)):
		}
	}
}

// step makes one call, or a few.
func (c *caller) step() {
	switch n := c.IntN(20); {
	case n < 9:
		c.produceOne()
	case n < 11:
		c.produceMany()
	case n < 13:
		c.produceRaw()
	case n < 16:
		c.fetchSome()
	default:
		c.askMetadata()
	}
}

// manner is how long a call may take, and what it does about the backoff.
func (c *caller) manner() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	switch n := c.IntN(40); {
	case n < 3: // given up, most likely before the response
		stop := time.AfterFunc(c.upTo(20*time.Millisecond), cancel)
		return ctx, func() { stop.Stop(); cancel() }
	case n < 4: // a timeout that ends the connection if it passes
		ctx = broker.WithRequestTimeout(ctx, 50*time.Millisecond+c.upTo(time.Second))
	case n < 8:
		ctx = broker.WithFailFast(ctx)
	}
	return ctx, cancel
}

// maxTries is how often a request is passed in while its errors allow it.
const maxTries = 3

func (c *caller) produceOne() {
	id := c.ledger.open(c.lane)
	ctx, cancel := c.manner()
	defer cancel()
	req := c.produce(c.acks(), id.value(c.size(c.largest)))
	var resp ports.Message
	var err error
	for range maxTries {
		c.tally.begin()
		resp, err = c.conn.Request(ctx, req)
		c.tally.end(err)
		if !broker.SafeToRetry(err) {
			break
		}
	}
	c.ledger.close(id, fateOfProduce(resp, err))
}

// fateOfProduce is the fate of a record by the response, or the error, to its request.
func fateOfProduce(resp ports.Message, err error) fate {
	if err != nil {
		return fateOf(err)
	}
	// acks 0 has no response, and what was written need not arrive. An error code of the broker's
	// may mean either: it may have stored the record before it failed.
	if produced, ok := resp.(*kmsg.ProduceResponse); ok && produced != nil &&
		produced.Topics[0].Partitions[0].ErrorCode == 0 {
		return acknowledged
	}
	return unknown
}

// produceMany sends several records before the first response, and gives up some of them.
func (c *caller) produceMany() {
	type sent struct {
		id recordID
		*broker.Future
	}
	send := c.conn.Send
	if c.in(2) {
		send = c.conn.SendWait
	}
	var all []sent
	for range 2 + c.IntN(5) {
		id := c.ledger.open(c.lane)
		c.tally.begin()
		f, err := send(context.Background(), c.produce(c.acks(), id.value(c.size(c.largest))))
		if err != nil {
			c.tally.end(err)
			c.ledger.close(id, fateOf(err))
			continue
		}
		all = append(all, sent{id, f})
	}
	for _, s := range all {
		if c.in(10) {
			s.Cancel()
		}
		resp, err := s.Wait(context.Background())
		c.tally.end(err)
		c.ledger.close(s.id, fateOfProduce(resp, err))
	}
}

// rawVersion is a version of Produce that names its topics.
const rawVersion = 9

// produceRaw produces a record with a body that is already encoded, as a proxy does.
func (c *caller) produceRaw() {
	id := c.ledger.open(c.lane)
	ctx, cancel := c.manner()
	defer cancel()
	req := c.produce(c.acks(), id.value(c.size(c.largest)))
	req.SetVersion(rawVersion)
	c.tally.begin()
	body, err := c.conn.RequestRaw(ctx, &ports.RawRequest{APIKey: req.Key(), APIVersion: rawVersion,
		Body: req.AppendTo(nil), Flexible: req.IsFlexible(), NoResponse: req.Acks == 0})
	c.tally.end(err)
	var resp *kmsg.ProduceResponse
	if err == nil && req.Acks != 0 {
		resp = kmsg.NewPtrProduceResponse()
		resp.SetVersion(rawVersion)
		if err := resp.ReadFrom(body); err != nil {
			c.tally.defect(fmt.Sprintf("the raw response to Produce cannot be read: %v", err))
		}
	}
	c.ledger.close(id, fateOfProduce(resp, err))
}

// fetchSome reads from anywhere in the log, and waits at its end.
func (c *caller) fetchSome() {
	ctx, cancel := c.manner()
	defer cancel()
	offset := int64(0)
	if end := c.logEnd.Load(); end > 0 {
		offset = c.Int64N(end + 1)
	}
	req := c.fetch(offset, c.upTo(300*time.Millisecond), int32(1+c.IntN(1<<uint(10+c.IntN(11)))))
	c.tally.begin()
	resp, err := req.RequestWith(ctx, c.conn)
	c.tally.end(err)
	if err == nil {
		c.checkFetch(c.tally, offset, resp)
	}
}

// checkFetch checks that a response is the one to a Fetch from an offset, and notes the end of
// the log.
func (s *soak) checkFetch(t *tally, offset int64, resp *kmsg.FetchResponse) {
	raw, err := batches(resp)
	if err != nil {
		return // a broker that has just started
	}
	if end := resp.Topics[0].Partitions[0].HighWatermark; end > s.logEnd.Load() {
		s.logEnd.Store(end)
	}
	next := offset
	err = eachRecord(raw, func(at int64, value []byte) {
		if _, err := parseValue(value); err != nil || at != next {
			t.defect(fmt.Sprintf("a Fetch from offset %d got offset %d where %d is next: %v", offset, at, next, err))
		}
		next = at + 1
	})
	if err != nil {
		t.defect(fmt.Sprintf("a Fetch from offset %d: %v", offset, err))
	}
}

// askMetadata asks for a topic that no other request asks for.
func (c *caller) askMetadata() {
	ctx, cancel := c.manner()
	defer cancel()
	name := fmt.Sprintf("none-%d-%d", c.lane, c.Uint64())
	c.tally.begin()
	resp, err := metadata(name).RequestWith(ctx, c.conn)
	c.tally.end(err)
	if err == nil {
		checkMetadata(c.tally, name, resp)
	}
}

// checkMetadata checks that a response is the one to the question for a topic.
func checkMetadata(t *tally, name string, resp *kmsg.MetadataResponse) {
	if len(resp.Topics) != 1 || resp.Topics[0].Topic == nil || *resp.Topics[0].Topic != name {
		t.defect(fmt.Sprintf("the answer to the question for topic %s is that to another", name))
	}
}
