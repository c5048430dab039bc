package simtest_test

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
)

// finder is what a user has: it keeps the leader of partition 0 of a topic, from the loop of its
// owner. It asks one broker for as long as that answers, and then the next one.
type finder struct {
	topic  string
	every  time.Duration
	conns  []*broker.Polled
	turn   int            // the connection that is asked
	tried  time.Time      // when its turn began, or it last answered
	asked  *broker.Future // in flight, or nil
	again  time.Time      // when to ask next
	leader int32
}

// patience is how long a broker may take until it is the turn of the next one.
const patience = 3 * time.Second

func newFinder(topic string, every time.Duration, now time.Time, brokers ...broker.Config) (*finder, error) {
	f := &finder{topic: topic, every: every, tried: now, leader: -1}
	for _, cfg := range brokers {
		cfg.RequestTimeout = patience
		conn, err := broker.NewPolled(cfg)
		if err != nil {
			return nil, err
		}
		f.conns = append(f.conns, conn)
	}
	return f, nil
}

func (f *finder) Leader() int32 { return f.leader }

// Step does what can be done now, and returns when it has to be called again at the latest.
func (f *finder) Step(now time.Time) (next time.Time) {
	conn := f.conns[f.turn]
	conn.Connect()
	for _, r := range conn.Recv() {
		if resp, ok := r.Response.(*kmsg.MetadataResponse); ok {
			f.answered(now, resp)
		}
	}
	if f.asked == nil && conn.Connected() && !now.Before(f.again) {
		req := kmsg.NewPtrMetadataRequest()
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = &f.topic
		req.Topics = append(req.Topics, topic)
		f.asked, f.again = conn.Send(req, false), now.Add(f.every)
	}
	if f.asked != nil && done(f.asked) {
		f.asked = nil
	}
	if now.Sub(f.tried) >= patience+f.every {
		f.turn, f.tried, f.asked, f.again = (f.turn+1)%len(f.conns), now, nil, now
	}
	next = f.tried.Add(patience + f.every)
	for _, t := range []time.Time{f.again, conn.NextDeadline()} {
		if t.After(now) && t.Before(next) {
			next = t
		}
	}
	return next
}

func (f *finder) answered(now time.Time, resp *kmsg.MetadataResponse) {
	f.asked, f.tried = nil, now
	for _, topic := range resp.Topics {
		for _, p := range topic.Partitions {
			if p.Partition == 0 && p.ErrorCode == 0 {
				f.leader = p.Leader
			}
		}
	}
}

func done(f *broker.Future) bool {
	select {
	case <-f.Done():
		return true
	default:
		return false
	}
}
