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

// cache is what a user has: the leaders of topics, which Run asks one of the brokers for, again and
// again.
type cache struct {
	topics []string
	conns  []*broker.Conn

	mu      sync.Mutex
	leaders map[string]map[int32]int32
}

func newCache(brokers []broker.Config, topics ...string) *cache {
	c := &cache{topics: topics, leaders: map[string]map[int32]int32{}}
	for _, cfg := range brokers {
		cfg.RequestTimeout, cfg.SetupTimeout = 2*time.Second, 2*time.Second
		conn, err := broker.NewConn(cfg)
		if err != nil {
			panic(err)
		}
		c.conns = append(c.conns, conn)
	}
	return c
}

// Leader returns the leader of a partition that was learned last; -1 if none was.
func (c *cache) Leader(topic string, partition int32) int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if leader, known := c.leaders[topic][partition]; known {
		return leader
	}
	return -1
}

// Run keeps the leaders, until ctx ends.
func (c *cache) Run(ctx context.Context, every time.Duration) {
	for i := 0; ctx.Err() == nil; {
		if err := c.refresh(ctx, c.conns[i]); err != nil {
			i = (i + 1) % len(c.conns)
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
		}
	}
	for _, conn := range c.conns {
		conn.Close()
	}
}

func (c *cache) refresh(ctx context.Context, conn *broker.Conn) error {
	req := kmsg.NewPtrMetadataRequest()
	for i := range c.topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &c.topics[i]
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(broker.WithFailFast(ctx), conn)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range resp.Topics {
		leaders := map[int32]int32{}
		for _, p := range t.Partitions {
			leaders[p.Partition] = p.Leader
		}
		c.leaders[*t.Topic] = leaders
	}
	return nil
}

// Every leader follows, also those that move while nothing else is wrong any more.
func TestCacheFollowsAllLeaders(t *testing.T) {
	topics := []string{"orders", "payments"}
	simtest.Run(t, simtest.Options{Seeds: 20}, func(w *simtest.World) {
		c := newCache([]broker.Config{w.Config(0), w.Config(1), w.Config(2)}, topics...)
		w.Go(func() { c.Run(w.Context(), time.Second) })
		w.Chaos(time.Minute)
		w.Inject(simtest.MoveLeaders)
		w.Settles(10*time.Second, func() error {
			for _, topic := range topics {
				for p := range 3 {
					if got, want := c.Leader(topic, int32(p)), w.Leader(topic, p); got != want {
						return fmt.Errorf("leader of %s[%d]: got %d, want %d", topic, p, got, want)
					}
				}
			}
			return nil
		})
	})
}
