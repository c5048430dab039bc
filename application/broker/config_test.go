package broker_test

import (
	"context"
	"errors"
	"math"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// invalidConfigs have one invalid setting each; right are words about what is valid.
var invalidConfigs = []struct {
	config  broker.Config
	setting string
	right   []string
}{
	{broker.Config{Host: "broker:9092"}, "Host", []string{"Port", "ParseAddress"}},
	{broker.Config{Host: "a b"}, "Host", []string{"host name or a literal address"}},
	{broker.Config{Host: "[::1]"}, "Host", []string{"host name or a literal address"}},
	{broker.Config{ClientID: strings.Repeat("x", 250)}, "ClientID", []string{"at most 249"}},
	{broker.Config{ClientID: "a\nb"}, "ClientID", []string{"control characters"}},
	{broker.Config{SoftwareName: "my client"}, "SoftwareName", []string{"letters, digits, '.' and '-'"}},
	{broker.Config{SoftwareName: "-x"}, "SoftwareName", []string{"a letter or digit at both ends"}},
	{broker.Config{SoftwareName: "x", SoftwareVersion: "1."}, "SoftwareVersion",
		[]string{"a letter or digit at both ends"}},
	{broker.Config{ClusterID: "a\x00", NodeID: new(int32)}, "ClusterID", []string{"control characters"}},
	{broker.Config{ClusterID: "a", NodeID: new(int32(-1))}, "NodeID", []string{"0 or more", "nil for any"}},
	{broker.Config{ClusterID: "a"}, "ClusterID", []string{"without NodeID", "both or neither"}},
	{broker.Config{NodeID: new(int32)}, "NodeID", []string{"without ClusterID", "both or neither"}},
	{broker.Config{APIVersion: broker.Release{Minor: 7}}, "APIVersion", []string{"0.8.0 is the first"}},
	{broker.Config{APIVersion: broker.Release{Major: 2, Minor: -1}}, "APIVersion", []string{"not a release of Kafka"}},
	{broker.Config{APIVersion: broker.Release{Major: 4, Minor: 4}, ClusterID: "a", NodeID: new(int32)}, "APIVersion",
		[]string{"NodeID", "leave one out"}},
	{broker.Config{APIVersionTimeout: -1}, "APIVersionTimeout", []string{"0 means none, 2 s for a Polled"}},
	{broker.Config{RequestTimeout: -1}, "RequestTimeout", []string{"0 means the default"}},
	{broker.Config{SetupTimeout: -time.Second}, "SetupTimeout", []string{"0 means the default"}},
	{broker.Config{ReconnectBackoff: -1}, "ReconnectBackoff", []string{"0 means the default"}},
	{broker.Config{ReconnectBackoffMax: -1}, "ReconnectBackoffMax", []string{"0 means the default"}},
	{broker.Config{ReconnectBackoff: 2 * time.Second, ReconnectBackoffMax: time.Second}, "ReconnectBackoffMax",
		[]string{"less than ReconnectBackoff, 2s"}},
	{broker.Config{PingInterval: -1}, "PingInterval", []string{"0 means no pings"}},
	{broker.Config{PingInterval: time.Minute, IdleTimeout: time.Minute}, "PingInterval",
		[]string{"not less than IdleTimeout"}},
	{broker.Config{PingInterval: time.Minute, APIVersion: broker.Release{Minor: 9}}, "PingInterval",
		[]string{"from 0.10.0 on"}},
	{broker.Config{Authenticators: []ports.Authenticator{fakebroker.Token{}, nil}}, "Authenticators", []string{"nil"}},
	{broker.Config{Authenticators: []ports.Authenticator{fakebroker.NewToken("A", "", 0),
		fakebroker.NewToken("A", "", 0)}},
		"Authenticators", []string{"A twice"}},
	{broker.Config{MaxInFlight: -1}, "MaxInFlight", []string{"0 means the default"}},
	{broker.Config{MaxPendingBytes: -1}, "MaxPendingBytes", []string{"0 means the default"}},
	{broker.Config{MaxResponseBytes: -1}, "MaxResponseBytes", []string{"0 means the default"}},
}

// TestLongestDurations: a program that wants no limit may set the longest duration, as for a
// net.Dialer. Sums of it and others are longer, not in the past.
func TestLongestDurations(t *testing.T) {
	const longest = time.Duration(math.MaxInt64)
	set := func(cfg *broker.Config) {
		cfg.APIVersionTimeout, cfg.RequestTimeout, cfg.MaxHold = longest, longest, longest
		cfg.SetupTimeout, cfg.ReconnectBackoff, cfg.ReconnectBackoffMax = longest, longest, longest
		cfg.IdleTimeout, cfg.MaxThrottle, cfg.StallAfter = longest, longest, longest
		cfg.PingInterval = longest - 1
		cfg.Rand = func() uint64 { return math.MaxUint64 } // the longest pause
		cfg.Hooks = &broker.Hooks{Stalled: func(broker.Endpoint, broker.RequestInfo) {
			t.Error("got a request that is stalled, want none")
		}}
	}
	runBubble(t, "request", func(t *testing.T) {
		cfg := piped(holds)
		cfg.MaxInFlight = 1
		set(&cfg)
		conn := dial(t, cfg)
		behind := make(chan error, 1)
		go func() {
			time.Sleep(2 * time.Second)
			behind <- heartbeat(t.Context(), conn)
		}()
		_, err := conn.Request(t.Context(), held())
		noError(t, err)
		noError(t, <-behind)
	})
	runBubble(t, "pause", func(t *testing.T) {
		tries := 0
		cfg := broker.Config{Host: "127.0.0.1", Transport: &netlink.Transport{
			Dial: func(context.Context, string, string) (net.Conn, error) {
				tries++
				return nil, errors.New("refused")
			}}}
		set(&cfg)
		conn, err := broker.NewConn(cfg)
		noError(t, err)
		defer fakebroker.Close(t, conn)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		for range 3 {
			_, _ = conn.Request(ctx, held())
		}
		equal(t, "attempts within the pause", tries, 1)
	})
}

// TestConfigIsReadOnce: what its owner changes afterwards has no effect.
func TestConfigIsReadOnce(t *testing.T) {
	cfg := fakeKafka(t, kfake.ClusterID("mine"))
	cfg.ClusterID, cfg.NodeID = "mine", new(int32)
	conn, err := broker.NewConn(cfg)
	noError(t, err)
	defer fakebroker.Close(t, conn)
	*cfg.NodeID = 7
	noError(t, conn.Connect(t.Context()))
}

func TestInvalidConfigs(t *testing.T) {
	for _, c := range invalidConfigs {
		_, polledErr := broker.NewPolled(c.config)
		conn, err := broker.NewConn(c.config)
		if err == nil {
			conn.Close()
			t.Errorf("%s: got no error, want one", c.setting)
			continue
		}
		assert(t, polledErr != nil && polledErr.Error() == err.Error(), "%s: got %v of a Polled, want %v", c.setting,
			polledErr, err)
		checkErr := c.config.Check()
		assert(t, checkErr != nil && checkErr.Error() == err.Error(), "%s: got %v of Check, want %v", c.setting,
			checkErr, err)
		var one *broker.ConfigError
		if joined, ok := err.(interface{ Unwrap() []error }); !ok || len(joined.Unwrap()) != 1 ||
			!errors.As(err, &one) || one.Setting != c.setting {
			t.Errorf("%s: %v", c.setting, err)
			continue
		}
		for _, word := range c.right {
			assert(t, strings.Contains(one.Problem, word), "%s: got %q, want %q in it", c.setting, one.Problem, word)
		}
	}
}

func TestAllInvalidSettingsAtOnce(t *testing.T) {
	_, err := broker.NewPolled(broker.Config{Host: "a b", MaxInFlight: -1, RequestTimeout: -1})
	for _, setting := range []string{"Host", "MaxInFlight", "RequestTimeout"} {
		assert(t, err != nil && strings.Contains(err.Error(), "config: "+setting+": "), "got %v, want an error of %s",
			err, setting)
	}
}

// FuzzParseAddress: what is accepted has a host that a Config takes, and means
// the same when written out and read again.
func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{"kafka:9093", "[::1]:9094", "::1", "fe80::1%lo", "SSL://h:1/", "a,b", "h:", "[", "\x00",
		"[x]:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, port, err := broker.ParseAddress(s)
		if err != nil {
			return
		}
		require(t, port != 0, "%q: port 0", s)
		if _, err := broker.NewPolled(broker.Config{Host: host, Port: port}); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		repeated, samePort, err := broker.ParseAddress(net.JoinHostPort(host, strconv.Itoa(int(port))))
		require(t, err == nil && repeated == host && samePort == port, "%q: %q %d, and again %q %d, %v", s, host, port,
			repeated, samePort, err)
	})
}
