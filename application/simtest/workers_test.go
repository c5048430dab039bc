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

// maker is what a user has: it makes topics, by several goroutines over one Conn, and begins with one
// at a time. It asks again for a topic only if the broker cannot have made it.
type maker struct {
	conn    *broker.Conn
	workers int
	every   time.Duration
}

// Make returns the outcome of each topic.
func (m *maker) Make(ctx context.Context, topics []string) map[string]error {
	var mu sync.Mutex
	var work sync.WaitGroup
	jobs, outcomes := make(chan string), map[string]error{}
	for range m.workers {
		work.Go(func() {
			for topic := range jobs {
				err := m.make(ctx, topic)
				mu.Lock()
				outcomes[topic] = err
				mu.Unlock()
			}
		})
	}
	for _, topic := range topics {
		jobs <- topic
		time.Sleep(m.every)
	}
	close(jobs)
	work.Wait()
	return outcomes
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
	var topics []string
	for i := range 60 {
		topics = append(topics, fmt.Sprint(i))
	}
	simtest.Run(t, simtest.Options{Brokers: 1, Seeds: 30}, func(w *simtest.World) {
		made := map[string]int{}
		w.Handle(kmsg.CreateTopics, func(_ int, req kmsg.Request) kmsg.Response {
			made[req.(*kmsg.CreateTopicsRequest).Topics[0].Topic]++
			return req.ResponseKind()
		})
		conn, _ := broker.NewConn(w.Config(0))
		defer conn.Close()
		w.Go(func() { w.Chaos(time.Minute) })
		for topic, err := range (&maker{conn, 5, time.Second}).Make(w.Context(), topics) {
			if n := made[topic]; n > 1 || n == 0 && err == nil {
				w.Errorf("topic %s: %v, made %d times", topic, err, n)
			}
		}
	})
}
