package model_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
	"brokerconn/ports"
)

// served is a model behind a listener of this machine, for clients that are not ours.
type served struct {
	t  *testing.T
	mu sync.Mutex // of the world and the model
	w  *simulation.World
	n  *simulation.Network
	l  net.Listener
	wg sync.WaitGroup
}

const address = "broker:9092"

func serve(t *testing.T, b *model.Broker) *served {
	s := &served{t: t, w: simulation.NewWorld(1)}
	s.n = simulation.NewNetwork(s.w)
	b.World = s.w
	s.n.SetSite(address, simulation.Site{Accept: b.Accept})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.l = l
	s.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.wg.Go(func() { s.relay(conn) })
		}
	})
	t.Cleanup(func() { l.Close(); s.wg.Wait() })
	return s
}

// relay passes bytes between a socket and a link of the world, which has no latency: each piece
// that arrives is answered before the next one is read.
func (s *served) relay(conn net.Conn) {
	defer conn.Close()
	s.mu.Lock()
	link := s.n.Open(ports.Endpoint{Address: address})
	s.run()
	s.mu.Unlock()
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		answer, open := s.exchange(link, buf[:n])
		if _, err := conn.Write(answer); err != nil || !open {
			return
		}
	}
}

func (s *served) exchange(link ports.Link, p []byte) (answer []byte, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := link.Send(p); err != nil {
		s.t.Error(err)
	}
	s.run()
	buf := make([]byte, 4096)
	for {
		n, err := link.Recv(buf)
		answer = append(answer, buf[:n]...)
		if err != nil {
			return answer, err == ports.ErrWouldBlock
		}
		s.run()
	}
}

func (s *served) run() {
	for s.w.Step() {
	}
}

func (s *served) client(opts ...kgo.Opt) *kgo.Client {
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(s.l.Addr().String()), kgo.DisableClientMetrics(),
		kgo.RequestRetries(0), kgo.RetryTimeout(time.Millisecond), kgo.DialTimeout(5 * time.Second)}, opts...)...)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(c.Close)
	return c
}

// metadata answers Metadata with a cluster id and no broker.
func metadata(r *model.Reply) {
	resp := kmsg.NewPtrMetadataResponse()
	resp.Version = r.Version
	resp.ClusterID = kmsg.StringPtr("ours")
	r.Body = resp.AppendTo(nil)
}

func table() []model.API {
	return model.Table(model.API{Key: 3, Max: 12, FlexibleFrom: 9, Handle: metadata})
}

func ask(c *kgo.Client) (cluster string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	resp, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, c)
	if err != nil {
		return "", err
	}
	return *resp.ClusterID, nil
}

// TestFranzGo connects franz-go's client, which negotiates, logs in and decodes in its own way.
func TestFranzGo(t *testing.T) {
	users := map[string]string{"alice": "secret, with = and ,"}
	login := &model.Login{Lifetime: time.Hour, Mechanisms: []model.Mechanism{
		model.Plain(users), model.SCRAM{Passwords: users}.Mechanism(),
		model.SCRAM{Passwords: users, SHA512: true, Iterations: 5000}.Mechanism(),
		model.Bearer(func(token string) (string, string) {
			if token == "good" {
				return "alice", ""
			}
			return "", "invalid_token"
		}),
	}}
	plainAs := func(password string) sasl.Mechanism {
		return plain.Auth{User: "alice", Pass: password}.AsMechanism()
	}
	scramAs := func(password string) scram.Auth { return scram.Auth{User: "alice", Pass: password} }
	for _, c := range []struct {
		name   string
		broker model.Broker
		sasl   sasl.Mechanism
		want   error
		text   string
	}{
		{name: "no login"},
		{name: "features", broker: model.Broker{Supported: []model.Feature{{Name: "kraft.version", Max: 1}},
			Finalized: []model.Feature{{Name: "metadata.version", Min: 7, Max: 25}}}},
		{name: "ApiVersions v2 at most", broker: model.Broker{APIs: append([]model.API{
			{Key: 18, Max: 2, FlexibleFrom: -1}}, table()[:1]...)}},
		{name: "ApiVersions v2 at most, and no range", broker: model.Broker{Unsupported: model.OffersNothing,
			APIs: append([]model.API{{Key: 18, Max: 2, FlexibleFrom: -1}}, table()[:1]...)}},
		{name: "PLAIN", broker: model.Broker{Login: login}, sasl: plainAs(users["alice"])},
		{name: "PLAIN, wrong", broker: model.Broker{Login: login}, sasl: plainAs("other"),
			want: kerr.SaslAuthenticationFailed},
		{name: "SCRAM-SHA-256", broker: model.Broker{Login: login}, sasl: scramAs(users["alice"]).AsSha256Mechanism()},
		{name: "SCRAM-SHA-512", broker: model.Broker{Login: login}, sasl: scramAs(users["alice"]).AsSha512Mechanism()},
		{name: "SCRAM, wrong", broker: model.Broker{Login: login}, sasl: scramAs("other").AsSha256Mechanism(),
			want: kerr.SaslAuthenticationFailed},
		{name: "OAUTHBEARER", broker: model.Broker{Login: login}, sasl: oauth.Auth{Token: "good"}.AsMechanism()},
		{name: "OAUTHBEARER, wrong", broker: model.Broker{Login: login}, sasl: oauth.Auth{Token: "bad"}.AsMechanism(),
			text: "unexpected data in oauth response"}, // it does not read the JSON, nor send 0x01
		{name: "a mechanism that is not offered", sasl: plainAs("x"), want: kerr.UnsupportedSaslMechanism,
			broker: model.Broker{Login: &model.Login{Mechanisms: login.Mechanisms[1:]}}},
		{name: "tokens in frames of their own", sasl: scramAs(users["alice"]).AsSha256Mechanism(),
			broker: model.Broker{Login: login, APIs: append([]model.API{{Key: 18, Max: 0, FlexibleFrom: -1},
				{Key: 17, Max: 0, FlexibleFrom: -1}}, table()[:1]...)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := c.broker
			if b.APIs == nil {
				b.APIs = table()
			}
			var opts []kgo.Opt
			if c.sasl != nil {
				opts = append(opts, kgo.SASL(c.sasl))
			}
			cluster, err := ask(serve(t, &b).client(opts...))
			switch {
			case c.want == nil && c.text == "":
				if err != nil || cluster != "ours" {
					t.Errorf("got %q, %v", cluster, err)
				}
			case c.want != nil && !errors.Is(err, c.want), err == nil, !strings.Contains(err.Error(), c.text):
				t.Errorf("got %v, want %v %s", err, c.want, c.text)
			}
		})
	}
}
