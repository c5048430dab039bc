package broker_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/application/broker"
)

// A Conn races the addresses of a host (RFC 8305); a Polled tries them in turn, as
// kafka-python does. IPv6 that leads nowhere is the common case: in Java's client
// (KAFKA-12193) it costs half of the setup.
func TestAddressesAreRaced(t *testing.T) {
	silent := func(hosts *fakebroker.Hosts) *fakebroker.Hosts {
		hosts.Reach = func(ctx context.Context) error {
			if order := hosts.Order(); order[len(order)-1] == "silent" {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		return hosts
	}
	t.Run("Conn", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			hosts := silent((&fakebroker.Hosts{}).At("silent", "good", "spare"))
			began := time.Now()
			var events []string
			cfg := hosts.Config()
			cfg.Hooks = &broker.Hooks{
				DialStart: func(e broker.Endpoint) { events = append(events, "start "+e.Address) },
				DialDone: func(e broker.Endpoint, err error) {
					events = append(events, strings.Fields("done " + e.Address)[0]+" "+e.Address+outcomeOf(err))
				},
			}
			conn, err := broker.Dial(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if took := time.Since(began); took != 250*time.Millisecond {
				t.Errorf("got a connection after %v, want 250ms", took)
			}
			const want = "start silent, start good, done silent failed, done good"
			if got := strings.Join(events, ", "); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if s := conn.Stats(); s.Address != "good" || s.Attempts != 1 {
				t.Errorf("got address %s after %d attempts, want good after 1", s.Address, s.Attempts)
			}
		})
	})
	t.Run("Polled", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			hosts := silent((&fakebroker.Hosts{}).At("silent", "good"))
			p, err := broker.NewPolled(hosts.Config())
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close(nil)
			began := time.Now()
			if _, err := p.CheckVersion(time.Minute, false, nil); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took < 5*time.Second {
				t.Errorf("got a connection after %v, want half of the setup for the first address", took)
			}
		})
	})
}

func outcomeOf(err error) string {
	if err != nil {
		return " failed"
	}
	return ""
}

// What lost the race is tried if the winner fails before it is ready, and the error has the
// failure of every address.
func TestLosersOfARaceAreLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := (&fakebroker.Hosts{Refuse: map[string]error{"refused": errors.New("no listener")}}).
			At("refused", "bad", "good")
		hosts.Shake = func(context.Context) error {
			if order := hosts.Order(); order[len(order)-1] == "bad" {
				return errors.New("bad certificate")
			}
			return nil
		}
		conn, err := broker.Dial(t.Context(), hosts.Config())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if s := conn.Stats(); s.Address != "good" || s.FailuresInARow != 0 {
			t.Errorf("got %+v, want a connection to good and no failure that counts", s)
		}
		hosts.At("refused", "bad")
		_, err = broker.Dial(t.Context(), hosts.Config())
		for _, want := range []string{"refused: no listener", "bad certificate"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q in it", err, want)
			}
		}
	})
}

// All addresses are silent: the error names them, and the pause of the backoff follows.
func TestSilentAddressesAreNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := (&fakebroker.Hosts{Reach: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}).
			At("a", "b", "c")
		began := time.Now()
		_, err := broker.Dial(t.Context(), hosts.Config())
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("got a failure after %v, want the setup's 10s", took)
		}
		if !errors.Is(err, broker.ErrSetupTimeout) || !strings.Contains(err.Error(), "no answer (a, b, c)") {
			t.Errorf("got %v, want ErrSetupTimeout with all addresses", err)
		}
		if got := strings.Join(hosts.Order(), " "); got != "a b c" {
			t.Errorf("got dials of %s, want a b c", got)
		}
	})
}

func TestAmbiguousAddresses(t *testing.T) {
	for text, want := range map[string]string{
		"https://b:9093":          "SSL://host:port", // without TLS, if the scheme were left out
		"HTTP://b":                "web server",
		"EXTERNAL://b:9092":       "",
		"2001:db8::1:9092":        `"[2001:db8::1]:9092"`,
		"::1:9092":                `"[::1]:9092"`,
		"SSL://2001:db8::1:9092":  `"[2001:db8::1]:9092"`,
		"2001:db8::1:19092":       `write "[2001:db8::1]:19092"`,
		"fe80::1%eth0:9092":       `write "[fe80::1%eth0]:9092"`,
		"fe80::1:2:3:80":          `"[fe80::1:2:3:80]:9092"`,
		"1:2:3:4:5:6:7:8:9092":    `write "[1:2:3:4:5:6:7:8]:9092"`,
		"::ffff:192.0.2.1:9092":   `write "[::ffff:192.0.2.1]:9092"`,
		"2001:db8::1":             "",
		"1:2:3:4:5:6:7:8":         "",
		"fe80::1:2:3:66a1":        "",
		"::1":                     "",
		"[2001:db8::1:9092]":      "",
		"[2001:db8::1]:9092":      "",
		"[2001:db8::1:9092]:9093": "",
	} {
		host, port, err := broker.ParseAddress(text)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: got %v, want no error", text, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: got %s, %d, %v; want an error with %s", text, host, port, err, want)
		}
	}
	for text, want := range map[string]string{"SSL://a": "SSL", "a:1": "", "://a": "", "ssl://a://b": "ssl"} {
		if got := broker.Scheme(text); got != want {
			t.Errorf("%s: got scheme %q, want %q", text, got, want)
		}
	}
}
