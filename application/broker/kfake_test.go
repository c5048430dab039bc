package broker_test

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
)

// fakeKafka starts franz-go's fake broker on loopback.
func fakeKafka(t testing.TB, opts ...kfake.Opt) broker.Config {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(1, "letters")},
		opts...)...)
	must(t, err)
	t.Cleanup(cluster.Close)
	return configFor(t, cluster.ListenAddrs()[0])
}

func dial(t testing.TB, cfg broker.Config) *broker.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	conn, err := broker.Dial(ctx, cfg)
	must(t, err)
	t.Cleanup(func() {
		conn.Close()
		<-conn.Done()
	})
	return conn
}

func TestRequestsOfManyCallersAreAnswered(t *testing.T) {
	for _, callers := range []int{1, 2, 5, 50} {
		t.Run(strconv.Itoa(callers), func(t *testing.T) {
			conn := dial(t, fakeKafka(t))
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for range 500 / callers {
						req := kmsg.NewPtrMetadataRequest()
						resp, err := req.RequestWith(t.Context(), conn)
						if err != nil {
							t.Errorf("request: %v", err)
							return
						}
						assert(t, len(resp.Brokers) == 1, "%d brokers, want 1", len(resp.Brokers))
					}
				})
			}
			wg.Wait()
		})
	}
}
