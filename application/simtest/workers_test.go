package simtest_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
	"brokerconn/application/simtest"
)

// maker is what a user has: it makes topics, by several goroutines over one Conn. It asks again for
// a topic only if the broker cannot have made it, and keeps the outcome of each.
type maker struct {
	conn *broker.Conn
	jobs chan string
	work sync.WaitGroup

	mu       sync.Mutex
	outcomes map[string][]error // of each topic that was added
}

func newMaker(conn *broker.Conn) *maker {
	return &maker{conn: conn, jobs: make(chan string), outcomes: map[string][]error{}}
}

// Run makes the topics that are added, until Stop is called or ctx ends.
func (m *maker) Run(ctx context.Context, workers int) {
	for range workers {
		m.work.Go(func() {
			for topic := range m.jobs {
				err := m.make(ctx, topic)
				m.mu.Lock()
				m.outcomes[topic] = append(m.outcomes[topic], err)
				m.mu.Unlock()
			}
		})
	}
	m.work.Wait()
}

func (m *maker) Add(topic string) { m.jobs <- topic }

// Stop finishes what was added, and closes the connection. Add must not be called any more.
func (m *maker) Stop(ctx context.Context) error {
	close(m.jobs)
	m.work.Wait()
	return m.conn.Drain(ctx)
}

func (m *maker) make(ctx context.Context, topic string) error {
	req := kmsg.NewPtrCreateTopicsRequest()
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = topic, 1, 1
	req.Topics = append(req.Topics, t)
	for {
		if _, err := req.RequestWith(ctx, m.conn); err == nil || !broker.SafeToRetry(err) {
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func TestTopicsAreMadeOnce(t *testing.T) {
	simtest.Run(t, simtest.Options{Brokers: 1, Seeds: 30}, func(w *simtest.World) {
		made := map[string]bool{} // by the broker
		w.Handle(kmsg.CreateTopics, func(_ int, req kmsg.Request) kmsg.Response {
			topic := req.(*kmsg.CreateTopicsRequest).Topics[0].Topic
			if made[topic] {
				w.Errorf("topic %s is made again", topic)
			}
			made[topic] = true
			return req.ResponseKind()
		})
		conn, _ := broker.NewConn(w.Config(0))
		m := newMaker(conn)
		w.Go(func() { m.Run(w.Context(), 5) })
		w.Go(func() { w.Chaos(time.Minute) })
		for i := range 60 {
			m.Add(fmt.Sprint(i))
			w.Sleep(time.Second)
		}
		if err := m.Stop(w.Context()); err != nil {
			w.Errorf("stop: %v", err)
		}
		for topic, outcomes := range m.outcomes {
			if len(outcomes) != 1 || outcomes[0] == nil && !made[topic] {
				w.Errorf("topic %s has the outcomes %v; made: %v", topic, outcomes, made[topic])
			}
		}
		if len(m.outcomes) != 60 {
			w.Errorf("%d topics have an outcome, want 60", len(m.outcomes))
		}
	})
}
