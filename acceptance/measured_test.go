//go:build acceptance

package acceptance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/sasl/plain"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// What a real broker does where a good guess is wrong: rows of acceptance/discoveries.

const largestRequest = 1 << 20

func TestMeasured(t *testing.T) {
	t.Parallel()
	b := privateBroker(t, Config{Listeners: []Listener{SASLPlaintext}, Properties: map[string]string{
		"socket.request.max.bytes": fmt.Sprint(largestRequest),
	}})
	login := func(cfg *broker.Config) {
		cfg.Authenticators = []ports.Authenticator{must(plain.New(plain.Options{
			Username: PlainUser, Password: ports.NewSecret(PlainPassword)}))(t)}
	}
	ask := func(t *testing.T, cfg broker.Config, req kmsg.Request) error {
		t.Helper()
		conn, err := broker.Dial(t.Context(), cfg)
		if err != nil {
			return err
		}
		defer fakebroker.Close(t, conn)
		_, err = conn.Request(t.Context(), req)
		return err
	}

	// KIP-1242: checked before a request without a login, and behind one.
	for listener, with := range map[Listener]func(*broker.Config){Plaintext: func(*broker.Config) {},
		SASLPlaintext: login} {

		for _, c := range []struct {
			cluster string
			node    int32
			right   bool
		}{{b.ClusterID(), 1, true}, {"another", 1, false}, {b.ClusterID(), 7, false}} {
			t.Run(fmt.Sprintf("%s expects %d of %.7s", listener, c.node, c.cluster), func(t *testing.T) {
				cfg := configAt(t, b, listener)
				with(&cfg)
				cfg.ClusterID, cfg.NodeID = c.cluster, &c.node
				err := ask(t, cfg, kmsg.NewPtrMetadataRequest())
				var refused *broker.BrokerError
				if errors.As(err, &refused) == c.right || !c.right && (refused.Code != 129 || broker.Retriable(err)) {
					t.Errorf("got %v, want that the broker is the expected one: %v, or a final error 129", err, c.right)
				}
			})
		}
	}

	t.Run("the port wants a login", func(t *testing.T) {
		err := ask(t, configAt(t, b, SASLPlaintext), kmsg.NewPtrMetadataRequest())
		wantHint(t, err, "wants a login")
	})

	t.Run("a controller's port", func(t *testing.T) {
		conn := connect(t, fakebroker.ConfigFor(t, b.ControllerAddr()))
		_, err := kmsg.NewPtrMetadataRequest().RequestWith(t.Context(), conn)
		wantHint(t, err, "the port of a controller")
		resp := must(kmsg.NewPtrDescribeClusterRequest().RequestWith(t.Context(), conn))(t)
		if resp.ErrorCode != 114 {
			t.Errorf("got error %d of DescribeCluster for brokers, want 114", resp.ErrorCode)
		}
		// FindCoordinator, which it does not list.
		_, err = conn.RequestRaw(t.Context(), &ports.RawRequest{APIKey: 10, APIVersion: 3, Body: []byte{2, 'g', 0, 0},
			Flexible: true})
		wantHint(t, err, "the port of a controller")
		cfg := fakebroker.ConfigFor(t, b.ControllerAddr())
		login(&cfg)
		wantHint(t, ask(t, cfg, kmsg.NewPtrMetadataRequest()), "the port of a controller")
	})

	t.Run("a request larger than the broker accepts", func(t *testing.T) {
		req := kmsg.NewPtrProduceRequest()
		topic, partition := kmsg.NewProduceRequestTopic(), kmsg.NewProduceRequestTopicPartition()
		topic.Topic, partition.Records = "t", make([]byte, 2*largestRequest)
		topic.Partitions = append(topic.Partitions, partition)
		req.Topics = append(req.Topics, topic)
		req.Acks = 1
		err := ask(t, configOf(t, b), req)
		var e *broker.Error
		if !errors.As(err, &e) || broker.SafeToRetry(err) || e.RequestBytes < 2*largestRequest {
			t.Errorf("got %v, want an error of a request of at least %d bytes that is not safe to retry",
				err, 2*largestRequest)
		}
		wantHint(t, err, "socket.request.max.bytes")
	})
}

// A broker closes connections above its limit at once, without a byte.
func TestMeasuredLimit(t *testing.T) {
	t.Parallel()
	b := privateBroker(t, Config{Properties: map[string]string{"max.connections.per.ip": "2"}})
	cfg := configOf(t, b)
	for range 2 {
		connect(t, cfg)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	conn, err := broker.Dial(ctx, cfg)
	if err == nil {
		fakebroker.Close(t, conn)
	}
	wantHint(t, err, "max.connections.per.ip")
}

func wantHint(t *testing.T, err error, text string) {
	t.Helper()
	var e *broker.Error
	if !errors.As(err, &e) || !strings.Contains(e.Hint, text) {
		t.Errorf("got %v with the hint %q, want %q in it", err, hintOf(e), text)
	}
}

func hintOf(e *broker.Error) string {
	if e == nil {
		return ""
	}
	return e.Hint
}
