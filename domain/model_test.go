package domain_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/domain/release"
	"brokerconn/ports"

	"pgregory.net/rapid"
)

// TestMachineAgainstModel calls any method at any time, also between two calls of
// Next, in a world that may do anything but lie about epochs; see rig for what
// must hold.
func TestMachineAgainstModel(t *testing.T) {
	seen := map[string]int{"answered": 0, "stale news": 0, "throttled": 0, "late": 0, "drained": 0,
		"closed idle": 0, "kept warm": 0,
		"recognised": 0, "renewed": 0, "refused for a login": 0,
		"failed not sent": 0, "failed partly sent": 0, "failed fully sent": 0}
	check := func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "random")
		random := func() uint64 { seed = seed*6364136223846793005 + 1442695040888963407; return seed ^ seed>>29 }
		r := newHarness(t, rapid.Bool().Draw(t, "sasl"), rapid.SampledFrom([]int{1, 3, 30}).Draw(t,
			"in flight"), random,
			func(c *domain.Config) {
				c.IdleTimeout = rapid.SampledFrom([]time.Duration{0, 5 * time.Second}).Draw(t, "idle limit")
				c.PingInterval = rapid.SampledFrom([]time.Duration{0, 2 * time.Second}).Draw(t, "keep warm")
				c.APIVersion = rapid.SampledFrom([]release.Release{{}, {}, {Major: 2, Minor: 8}}).Draw(t, "release")
			})
		r.seen = seen
		r.up(rapid.SampledFrom(states[:6]).Draw(t, "begin"))
		below := func(n int, label string) int { return rapid.IntRange(0, n-1).Draw(t, label) }
		actions := map[string]func(*rapid.T){
			"next":    func(*rapid.T) { r.next() },
			"drain":   func(*rapid.T) { r.drain() },
			"connect": func(*rapid.T) { r.connect() },
			"earlier": func(*rapid.T) {
				r.timeout(0) // the latest time is known
				now := r.now.Add(-time.Duration(below(100, "s")) * time.Second)
				r.do(func() { r.m.HandleTimeout(now); r.m.Connect(now, domain.ConnectOptions{}) })
			},
			"addresses": func(*rapid.T) { r.addresses(below(4, "addresses")) },
			"rise":      func(*rapid.T) { r.rise(ports.Stage(1 + below(2, "stage"))) },
			"written":   func(*rapid.T) { r.written(below(70, "n")) },
			"all":       func(*rapid.T) { r.written(1 << 30); r.writable() },
			"writable":  func(*rapid.T) { r.writable() },
			"serve":     func(*rapid.T) { r.serve(rapid.Bool().Draw(t, "early")) },
			"read":      func(*rapid.T) { r.read(1 + below(40, "n")) },
			"read all": func(*rapid.T) {
				for range 10 {
					r.read(1 << 30)
				}
			},
			"send": func(*rapid.T) {
				timeout := time.Duration(below(3, "timeout")) * 7 * time.Second
				r.send(below(60, "size"), rapid.Bool().Draw(t, "silent"), timeout)
			},
			"exchange": func(*rapid.T) {
				r.up(domain.Connected)
				for range 1 + below(20, "requests") {
					r.send(below(60, "size"), rapid.Bool().Draw(t, "silent"), 0)
				}
				r.drain()
				r.written(1 << 30)
				r.drain()
				r.written(below(200, "n"))
				r.serve(false)
				r.read(1 << 30)
			},
			"throttle": func(*rapid.T) {
				r.throttle = rapid.SampledFrom([]int{0, 0, 1, 700, 40_000}).Draw(t, "throttle")
			},
			"no more": func(*rapid.T) {
				waited := r.m.InFlight() > 0 || r.m.Busy()
				r.do(func() { r.m.Drain(r.now, below(10, "for good") == 0) })
				if r.drain(); !waited && r.m.State() == domain.Connected {
					r.t.Fatalf("nothing waits, and it is %v", r.m.State())
				}
				if waited && errors.Is(r.m.CanSend(), domain.ErrDraining) {
					seen["drained"]++
				}
			},
			"overdue": func(*rapid.T) {
				r.up(domain.Connected)
				timeout := time.Duration(below(3, "timeout")) * 7 * time.Second
				r.send(below(60, "size"), rapid.Bool().Draw(t, "silent"), timeout)
				r.drain()
				r.written(below(100, "n"))
				if r.drain(); len(r.requests) > 0 {
					first := slices.MinFunc(r.requests, func(a, b *admitted) int { return a.due.Compare(b.due) })
					r.timeout(first.due.Sub(r.now) - 1)
					r.timeout(1)
					r.drain()
				}
			},
			"quiet": func(*rapid.T) {
				r.up(domain.Connected)
				r.drain()
				if r.m.State() != domain.Connected || r.m.InFlight() > 0 || r.m.Busy() {
					return
				}
				r.timeout(3 * time.Second)
				if r.drain(); r.lent != nil {
					seen["kept warm"]++
					return
				}
				if r.timeout(2 * time.Second); r.m.State() == domain.Disconnected {
					if seen["closed idle"]++; r.m.LastError() != nil || r.m.BlackedOut(r.now) {
						r.t.Fatalf("closed idle: %v", r.m.LastError())
					}
				}
			},
			"age": func(*rapid.T) { r.deaf = rapid.Bool().Draw(t, "deaf") },
			"check": func(*rapid.T) {
				r.do(func() {
					r.m.Connect(r.now, domain.ConnectOptions{Check: &domain.Check{Strict: below(2, "strict") == 0}})
				})
			},
			"session": func(*rapid.T) {
				r.lifetime = rapid.SampledFrom([]int64{0, 1, 100, 3000, 20_000, -1, 1 << 62}).Draw(t, "lifetime")
			},
			"renew": func(*rapid.T) {
				if !r.sasl {
					return
				}
				switch below(4, "how") {
				case 0:
					r.do(func() { r.m.Reauthenticate(r.now) })
				case 1:
					r.use("PLAIN")
				case 2:
					r.use("OTHER", "PLAIN")
				default:
					r.do(func() { r.m.Hold(r.now, below(2, "hold") == 0) })
				}
				for range below(6, "steps") { // a login has four
					r.drain()
					r.written(1 << 30)
					r.serve(false)
					r.read(1 << 30)
					if r.asked {
						r.token("x", true, nil)
					}
				}
			},
			"abandon": func(*rapid.T) { r.abandon(below(8, "which")) },
			"token": func(*rapid.T) {
				switch below(6, "token") {
				case 0:
					r.token("", false, errors.New("no ticket"))
				case 1:
					r.token("", true, nil)
				default:
					r.token("x", rapid.Bool().Draw(t, "done"), nil)
				}
			},
			"stale":   func(*rapid.T) { r.oldNews(below(8, "news"), uint64(below(6, "epoch"))) },
			"up":      func(*rapid.T) { r.up(domain.Connected) },
			"timeout": func(*rapid.T) { r.timeout(time.Duration(below(4000, "ms")) * time.Millisecond) },
			"trouble": func(*rapid.T) {
				[]func(){
					r.lost,
					func() { r.garbage(rapid.SliceOfN(rapid.Byte(), 1, 12).Draw(t, "garbage")) },
					func() { r.timeout(time.Duration(below(40, "s")) * time.Second) },
					func() { r.do(func() { r.m.Close(r.now, nil, false) }) },
					func() { r.do(func() { r.m.Close(r.now, errors.New("enough"), false) }) },
					func() {
						if below(10, "for good") == 0 {
							r.do(func() { r.m.Close(r.now, nil, true) })
						}
					},
				}[below(6, "trouble")]()
			},
			"": func(*rapid.T) {
				seen["in "+r.m.State().String()]++
				if found, evidence, ok := r.m.Versions().Detected(); ok {
					seen["recognised"]++
					v := domain.Identify(r.m.Versions())
					if v.Kind != release.Exact || v.Low != found ||
						v.Lineage != release.ZooKeeperBroker || !slices.Equal(v.Evidence, evidence) {
						t.Fatalf("%+v, of a %v", v, found)
					}
					boundedEvidence(t, v)
				}
			},
		}
		t.Repeat(actions)
		r.finish()
	}
	for _, s := range states {
		seen["in "+s.String()] += 0
	}
	never := func() (missing []string) {
		for what, n := range seen {
			if n == 0 {
				missing = append(missing, what)
			}
		}
		return missing
	}
	// What is rare needs more rounds now and then.
	for round := 0; round < 10 || round < 100 && never() != nil; round++ {
		rapid.Check(t, check)
	}
	t.Logf("%v", seen)
	if missing := never(); missing != nil {
		t.Errorf("never %q: the driver is too weak", missing)
	}
}

// boundedEvidence checks that a reader, and a log, can take the evidence of a verdict.
func boundedEvidence(t rapid.TB, v release.Verdict) {
	t.Helper()
	if n := len(v.Evidence); n < 1 || n > 8 {
		t.Errorf("%v: got %d sentences, want 1 to 8", v, n)
	}
	for _, s := range v.Evidence {
		if len(s) > 120 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%v: got %q, want at most 120 printable characters", v, s)
		}
	}
}
