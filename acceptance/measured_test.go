//go:build acceptance

package acceptance

import (
	"context"
	cryptotls "crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/sasl/plain"
	"brokerconn/adapters/tls"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// What a real broker does where a good guess is wrong: rows of acceptance/discoveries.

const largestRequest = 1 << 20

func TestMeasured(t *testing.T) {
	t.Parallel()
	listeners := []Listener{SASLPlaintext, SSL, SSLClientAuth}
	b := privateBroker(t, Config{Listeners: listeners, Properties: map[string]string{
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

	// Kafka 4.4 has features whose minimum is 0, which ApiVersions v3 leaves out.
	t.Run("features with minimum 0", func(t *testing.T) {
		with := func(features []ports.Feature) (n int) {
			for _, f := range features {
				if f.Min == 0 {
					n++
				}
			}
			return n
		}
		old := kmsg.NewPtrApiVersionsRequest()
		old.Version, old.ClientSoftwareName, old.ClientSoftwareVersion = 3, "measured", "1"
		var left []ports.Feature
		for _, f := range callOver(t, dial(t, b.Addr()), old).(*kmsg.ApiVersionsResponse).SupportedFeatures {
			left = append(left, ports.Feature{Name: f.Name, Min: f.MinVersion, Max: f.MaxVersion})
		}
		versions := must(connect(t, configOf(t, b)).APIVersions(t.Context()))(t)
		if asked := with(versions.Supported()); asked == 0 || with(left) != 0 {
			t.Errorf("got %d features with minimum 0, and %d by v3, want some and none", asked, with(left))
		}
	})

	// Two network threads (num.network.threads), each with its own tickets.
	t.Run("tickets of each thread", func(t *testing.T) {
		secure := must(tls.Dial((&net.Dialer{}).DialContext, tls.Options{CAFile: b.ClientFiles().CA}))(t)
		for i := range 6 {
			conn := must(secure(t.Context(), "tcp", b.AddrOf(SSL)))(t)
			conn.SetDeadline(time.Now().Add(patience))
			fakebroker.Must(t, askVersions(conn, 1)) // the tickets come before the answer
			must(readVersions(conn, 1, patience))(t)
			state := conn.(interface {
				ConnectionState() cryptotls.ConnectionState
			}).ConnectionState()
			if conn.Close(); i >= 2 && !state.DidResume {
				t.Errorf("connection %d is not resumed, want those from the third on", i+1)
			}
		}
	})

	t.Run("a client certificate of another authority", func(t *testing.T) {
		other := must(newAuthority("another authority"))(t)
		stranger := must(other.issue("stranger"))(t)
		d := target{b: b, listener: SSLClientAuth}
		err := d.first(t, d.secured(t, tls.Options{CAFile: b.ClientFiles().CA, CertPEM: string(stranger.certPEM()),
			KeyPEM: ports.NewSecret(string(stranger.keyPEM()))}))
		wantHint(t, err, "issuer")
		if err == nil || !strings.Contains(err.Error(), "another authority") {
			t.Errorf("got %v, want the issuer of the certificate", err)
		}
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
	wantHint(t, dialOnce(t, cfg), "max.connections.per.ip")
}

// dialOnce returns the error of a Dial that has little time.
func dialOnce(t *testing.T, cfg broker.Config) error {
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	conn, err := broker.Dial(ctx, cfg)
	if err == nil {
		fakebroker.Close(t, conn)
	}
	return err
}

// A broker with a rate of connections for each address (KIP-612) holds those above it for a while
// and resets them.
func TestMeasuredRate(t *testing.T) {
	t.Parallel()
	b := privateBroker(t, Config{Properties: map[string]string{"quota.window.num": "2"}})
	cfg := configOf(t, b)
	limit(t, connect(t, cfg), "ip", "127.0.0.1", map[string]float64{"connection_creation_rate": 1})
	var err error
	for i := 0; i < 10 && err == nil; i++ {
		err = dialOnce(t, cfg)
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
