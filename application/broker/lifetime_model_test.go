package broker_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"brokerconn/application/broker"
)

// TestLifetime plays throttling, idle limit, keep-warm, timeouts, losses, draining
// and closing against each other, in any order, and checks after each step what must
// hold whatever has happened.
func TestLifetime(t *testing.T) {
	for _, kind := range []string{"Polled", "Conn"} {
		t.Run(kind, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { lifetime(t, rt, kind) })
		})
	}
}

// underWay is a request that was sent, and what is known of it.
type underWay struct {
	f        sending
	due      time.Time // without throttling
	slack    time.Duration
	released bool
	done     bool
}

func lifetime(parent *testing.T, t *rapid.T, kind string) {
	limit := time.Duration(rapid.SampledFrom([]int{-1, 1, 20, 300}).Draw(t, "idle limit")) * time.Second
	warm := time.Duration(rapid.SampledFrom([]int{0, 0, 7, 40}).Draw(t, "keep-warm")) * time.Second
	if warm >= limit && limit > 0 {
		warm = 0
	}
	timeout := time.Duration(rapid.SampledFrom([]int{1, 5, 30}).Draw(t, "timeout")) * time.Second
	r := newHarness(parent, kind, func(cfg *broker.Config) {
		cfg.IdleTimeout, cfg.PingInterval, cfg.RequestTimeout = limit, warm, timeout
		cfg.MaxInFlight = rapid.IntRange(1, 4).Draw(t, "in flight")
		if rapid.Bool().Draw(t, "release") {
			cfg.APIVersion = broker.Release{Major: 2, Minor: 3}
		}
	})
	r.t = t
	var sent []*underWay
	var throttledUntil time.Time
	lastTraffic := r.clock.Now()

	check := func(t *rapid.T) {
		now := r.clock.Now()
		s := r.Stats()
		checkSums(r.t, s)
		next := r.next()
		require(t, next.IsZero() || next.After(now), "it is %v, and it waits for %v: a loop that never sleeps", now,
			next)
		require(t, !s.ThrottledUntil.Before(throttledUntil), "the end of the throttle moved back, from %v to %v",
			throttledUntil, s.ThrottledUntil)
		for _, traffic := range []time.Time{s.LastSent, s.LastReceived, s.Since} {
			if traffic.After(lastTraffic) {
				lastTraffic = traffic
			}
		}
		if limit > 0 && s.State == broker.Connected && s.InFlight == 0 && warm == 0 && now.Sub(lastTraffic) >= limit {
			abandoned := false // and still in flight
			for _, u := range sent {
				abandoned = abandoned || u.released
			}
			require(t, abandoned, "idle since %v: %+v", lastTraffic, s)
		}
		for _, u := range sent {
			if done := u.f.isDone(); u.released && !done || u.done && !done {
				t.Fatal("a Future that was done is not")
			} else if done {
				u.done = true
			} else if !u.due.Add(u.slack).After(now) {
				t.Fatalf("due at %v, and %v of throttling since; it is %v", u.due, u.slack, now)
			}
		}
		throttledUntil = s.ThrottledUntil
	}
	// ours counts the requests that the connection's owner has sent: not those of the
	// setup, ApiVersions and the probes, which are all of version 0.
	ours := func() (n int) {
		for _, q := range r.broker.asked {
			if q.key != 18 && q.version != 0 {
				n++
			}
		}
		return n
	}
	quiet := func(act func()) {
		before := ours()
		until := throttledUntil
		act()
		r.turn()
		after := ours()
		require(t, after <= before || !until.After(r.clock.Now()), "%d requests were sent before %v", after-before,
			until)
	}
	send := func(d time.Duration) {
		quiet(func() {
			var f sending
			mayNot := r.State() == broker.Connected && r.throttleDelay() > 0
			if d == 0 {
				f, d = r.send(), timeout
			} else {
				f = r.sendWithin(d)
			}
			sent = append(sent, &underWay{f: f, due: r.clock.Now().Add(d)})
			if f.isDone() {
				_, err := f.Response()
				require(t, err != nil && broker.SafeToRetry(err), "a refusal: %v", err)
				require(t, errors.Is(err, broker.ErrThrottled) == (mayNot && !errors.Is(err, broker.ErrDraining)),
					"throttled for %v: %v", r.throttleDelay(), err)
			}
		})
	}
	step := func(act func(*rapid.T)) func(*rapid.T) {
		return func(t *rapid.T) { quiet(func() { act(t) }) }
	}
	t.Repeat(map[string]func(*rapid.T){
		"reach":   step(func(*rapid.T) { r.reachIfDown() }),
		"send":    func(*rapid.T) { send(0) },
		"sendFor": func(t *rapid.T) { send(time.Duration(rapid.IntRange(1, 60_000).Draw(t, "ms")) * time.Millisecond) },
		"answer": step(func(t *rapid.T) {
			if n := len(r.broker.received); n > 0 && r.broker.peer != nil {
				throttle := rapid.SampledFrom([]int32{0, 0, 0, 1, 900, 15_000, 700_000}).Draw(t, "throttle")
				before := r.Stats().ThrottledUntil
				r.broker.answer(rapid.IntRange(1, n).Draw(t, "answers"), throttle)
				r.broker.throttle = 0
				r.turn()
				now := r.clock.Now()
				if before.Before(now) {
					before = now
				}
				if after := r.Stats().ThrottledUntil; after.After(before) {
					for _, u := range sent {
						u.slack += after.Sub(before)
					}
				}
			}
		}),
		"release": step(func(t *rapid.T) {
			if len(sent) > 0 {
				u := sent[rapid.IntRange(0, len(sent)-1).Draw(t, "which")]
				if !u.released && !u.done {
					u.released = true
					u.f.Cancel()
				}
			}
		}),
		"mute": step(func(*rapid.T) { r.broker.mute = !r.broker.mute }),
		"lose": step(func(t *rapid.T) {
			if r.broker.peer != nil {
				if rapid.Bool().Draw(t, "reset") {
					r.broker.peer.Reset(nil)
				} else {
					r.broker.peer.Close()
				}
			}
		}),
		"refuse": step(func(t *rapid.T) {
			var err error
			if rapid.Bool().Draw(t, "refused") {
				err = errors.New("refused")
			}
			r.network.RefuseDial("broker:9092", err)
		}),
		"pass": func(t *rapid.T) {
			d := time.Duration(rapid.SampledFrom([]int{1, 40, 999, 5000, 61_000, 3_600_000}).Draw(t,
				"ms")) * time.Millisecond
			limit := 12 + 2*len(sent)
			if warm > 0 {
				limit += 2 * int(d/warm+1)
			}
			n := r.pass(d)
			require(t, n <= limit, "%d deadlines in %v", n, d)
		},
		"drain": step(func(*rapid.T) {
			require(t, r.polled == nil || r.polled.Drain() == r.polled.Disconnected(), "Drain says otherwise")
		}),
		"close": step(func(t *rapid.T) {
			if r.polled != nil {
				var err error
				if rapid.Bool().Draw(t, "cause") {
					err = errors.New("enough")
				}
				r.polled.Close(err)
			}
		}),
		"": check,
	})
	// Nothing is left hanging.
	last := r.clock.Now()
	for _, u := range sent {
		if end := u.due.Add(u.slack); end.After(last) {
			last = end
		}
	}
	r.pass(last.Sub(r.clock.Now()))
	check(t)
	for i, u := range sent {
		require(t, u.released || u.done, "request %d of %d was never done", i, len(sent))
	}
	r.close()
	check(t)
}

// reachIfDown asks for a connection in state Disconnected.
func (r *harness) reachIfDown() {
	switch {
	case r.polled != nil:
		r.polled.Connect()
	case r.State() == broker.Disconnected:
		_, _ = r.conn.Send(context.Background(), ask())
	}
}
