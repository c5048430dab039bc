package simtest_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
	"brokerconn/application/simtest"
)

func TestFinderFindsTheLeader(t *testing.T) {
	simtest.Run(t, simtest.Options{Brokers: 3}, func(w *simtest.World) {
		f, err := newFinder("orders", time.Second, w.Config(0), w.Config(1), w.Config(2))
		if err != nil {
			w.Fatalf("new: %v", err)
		}
		w.Drive(f.Step)
		w.Chaos(time.Minute)
		w.Eventually(30*time.Second, func() bool { return f.Leader() == w.Leader("orders", 0) })
	})
}

// finder is what a program has: it keeps the leader of partition 0 of a topic, from the loop of its
// owner. It asks one broker as long as that answers, and then the next one.
type finder struct {
	topic  string
	every  time.Duration
	conns  []*broker.Polled
	turn   int            // of conns, the one that is asked
	asked  *broker.Future // or nil
	again  time.Time      // when to ask
	leader int32

	forgetful bool // a defect: a request that failed is waited for
}

func newFinder(topic string, every time.Duration, brokers ...broker.Config) (*finder, error) {
	f := &finder{topic: topic, every: every, leader: -1}
	for _, cfg := range brokers {
		cfg.RequestTimeout, cfg.SetupTimeout = 2*time.Second, 2*time.Second
		conn, err := broker.NewPolled(cfg)
		if err != nil {
			return nil, err
		}
		f.conns = append(f.conns, conn)
	}
	return f, nil
}

// Leader returns the leader that was found last; -1 if none was.
func (f *finder) Leader() int32 { return f.leader }

// Step does what can be done now, and returns when it has to be called again at the latest.
func (f *finder) Step(now time.Time) (next time.Time) {
	conn := f.conns[f.turn]
	conn.Connect()
	for _, r := range conn.Recv() {
		f.asked = nil
		f.answered(r.Response)
	}
	if f.asked != nil && !f.forgetful && done(f.asked) {
		f.asked = nil // it failed
	}
	if conn.BlackedOut() {
		f.turn = (f.turn + 1) % len(f.conns)
		return now.Add(10 * time.Millisecond)
	}
	if conn.Connected() && f.asked == nil && !now.Before(f.again) {
		f.asked, f.again = conn.Send(f.request(), false), now.Add(f.every)
	}
	next = conn.NextDeadline()
	if f.again.After(now) && (next.IsZero() || f.again.Before(next)) {
		next = f.again
	}
	return next
}

func (f *finder) request() *kmsg.MetadataRequest {
	req := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &f.topic
	req.Topics = append(req.Topics, topic)
	return req
}

func (f *finder) answered(response any) {
	resp, ok := response.(*kmsg.MetadataResponse)
	if !ok || len(resp.Topics) != 1 || resp.Topics[0].ErrorCode != 0 {
		return
	}
	for _, p := range resp.Topics[0].Partitions {
		if p.Partition == 0 && p.ErrorCode == 0 {
			f.leader = p.Leader
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
