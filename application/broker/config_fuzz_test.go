package broker_test

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/memory"
	"brokerconn/application/broker"
)

// FuzzConfig sets the fields to any values: Check rejects what NewPolled rejects, by the names of fields, and what is
// accepted connects or waits without a panic, and asks for no time in the past.
func FuzzConfig(f *testing.F) {
	const day = int64(24 * time.Hour)
	f.Add("broker", "me", "name", "1.0", int64(0), int64(0), int64(0), int64(0), 0, int32(0), uint8(0))
	f.Add("a b", "\x00", "-x", "", int64(-1), int64(-1), int64(-1), int64(-1), -1, int32(-1), uint8(255))
	f.Add("", "", "", "", int64(1<<63-1), int64(1<<63-1), int64(1<<63-1), int64(1), 1<<31-1, int32(1<<31-1), uint8(1))
	f.Add("::1", "x", "a", "b", int64(-1<<63), day, int64(1), day, 1, int32(1), uint8(42))
	f.Fuzz(func(t *testing.T, host, client, name, cluster string, a, b, c, d int64, count int, size int32,
		kind uint8) {
		network := memory.New()
		clock := fake.New(time.Unix(1_800_000_000, 0))
		cfg := broker.Config{Host: host, ClientID: client, SoftwareName: name, ClusterID: cluster,
			RequestTimeout: time.Duration(a), MaxHold: time.Duration(b), SetupTimeout: time.Duration(c),
			APIVersionTimeout: time.Duration(d), ReconnectBackoff: time.Duration(b),
			ReconnectBackoffMax: time.Duration(a), MaxThrottle: time.Duration(c), IdleTimeout: time.Duration(d),
			PingInterval: time.Duration(b), StallAfter: time.Duration(a), MaxInFlight: count, MaxPendingBytes: count,
			MaxResponseBytes: size, Transport: network, Clock: clock}
		if kind&1 != 0 {
			cfg.NodeID = &size
		}
		if kind&2 != 0 {
			cfg.APIVersion = broker.Release{Major: int(kind>>2) % 6, Minor: int(kind >> 4), Patch: int(size)}
		}
		problems := cfg.Check()
		p, err := broker.NewPolled(cfg)
		if (problems == nil) != (err == nil) || err != nil && err.Error() != problems.Error() {
			t.Fatalf("got %v, and %v of Check", err, problems)
		}
		if err != nil {
			var one *broker.ConfigError
			if !errors.As(err, &one) {
				t.Fatalf("got %v, want a *ConfigError", err)
			}
			if _, ok := reflect.TypeFor[broker.Config]().FieldByName(one.Setting); !ok || one.Problem == "" {
				t.Fatalf("got %+v, want the name of a field", one)
			}
			return
		}
		defer p.Close(nil)
		for range 5 {
			p.Connect()
			if delay, forever := p.ConnectionDelay(); delay < 0 && !forever {
				t.Fatalf("got a delay of %v", delay)
			}
			next := p.NextDeadline()
			if next.IsZero() {
				break
			}
			if wait := next.Sub(clock.Now()); wait > 0 {
				clock.Advance(min(wait, time.Hour))
			}
			p.Recv()
		}
	})
}
