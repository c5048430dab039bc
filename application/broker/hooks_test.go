package broker_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/metrics/recorder"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// TestHooksOfAConnAreCalledInTurn: other callers go on beside a slow hook, whose next call comes when it has returned.
func TestHooksOfAConnAreCalledInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		running, calls := 0, 0
		cfg := piped(answersAfter(0))
		cfg.Hooks = &broker.Hooks{RequestWritten: func(broker.RequestInfo) {
			if running++; running > 1 {
				t.Errorf("got %d hooks at one time, want 1", running)
			}
			calls++
			time.Sleep(time.Second)
			running--
		}}
		conn := dial(t, cfg)
		const requests = 5
		answered := heartbeats(t.Context(), conn, requests)
		for range requests {
			noError(t, <-answered)
		}
		synctest.Wait()
		equal(t, "calls", calls, requests)
	})
}

// TestJoinedHooksOfOneEach: a hook that only one of them has is called as it is.
func TestJoinedHooksOfOneEach(t *testing.T) {
	var calls []string
	note := func(name string) func(string) { return func(text string) { calls = append(calls, name+text) } }
	j := broker.JoinHooks(&broker.Hooks{Warning: note("a ")}, nil,
		&broker.Hooks{Panicked: func(any) { note("b ")("p") }})
	j.Warning("w")
	j.Panicked(nil)
	if want := []string{"a w", "b p"}; !slices.Equal(calls, want) {
		t.Errorf("got calls %q, want %q", calls, want)
	}
}

// TestJoinedMetricsOfFew: of no sink, and of one, which is that one.
func TestJoinedMetricsOfFew(t *testing.T) {
	one := recorder.New()
	if got := broker.JoinMetrics(nil, one); got != ports.MetricsSink(one) {
		t.Errorf("of one: got %T, want that sink", got)
	}
	none := broker.JoinMetrics(nil)
	none.ConnectionStarted(time.Unix(1, 0))
	equal(t, "connections of the other", one.Snapshot().Started, 0)
}

// TestPolledWithoutStateHook: a hook that is nil is not called, so that nothing panics.
func TestPolledWithoutStateHook(t *testing.T) {
	cfg := piped(answersAfter(0))
	cfg.Hooks = &broker.Hooks{Panicked: func(v any) { t.Errorf("got a panic of a hook: %v", v) }}
	p := newPolled(t, cfg)
	p.Connect()
	p.Close(nil)
}

// TestWarningListsWhatIsLeftOut: a key that is listed more than once and ranges that are invalid are not used, and of
// them eight are named.
func TestWarningListsWhatIsLeftOut(t *testing.T) {
	for n, want := range map[int]string{1: ": 40 (v2 to v1)", 8: ", 47 (v2 to v1)", 9: ", 47 (v2 to v1), ..."} {
		onBoth(t, nil, func(t *testing.T, r *harness) {
			for key := range int16(n) {
				invalid := kmsg.ApiVersionsResponseApiKey{ApiKey: 40 + key, MinVersion: 2, MaxVersion: 1}
				r.broker.rows = append(r.broker.rows, invalid)
			}
			r.connect()
			var warnings []string
			for _, called := range r.log {
				if strings.HasPrefix(called, "warning ") {
					warnings = append(warnings, called)
				}
			}
			if len(warnings) != 1 || !strings.HasSuffix(warnings[0], want) {
				t.Errorf("%d rows: got %q, want one that ends in %q", n, warnings, want)
			}
		})
	}
}

// TestEachHookAlone: a hook of the setup is called where it is the only one.
func TestEachHookAlone(t *testing.T) {
	for _, name := range []string{"ResolveStart", "ResolveDone", "DialStart", "DialDone", "Versions", "Warning"} {
		calls := 0
		hooks := &broker.Hooks{}
		field := reflect.ValueOf(hooks).Elem().FieldByName(name)
		field.Set(reflect.MakeFunc(field.Type(), func([]reflect.Value) []reflect.Value { calls++; return nil }))
		onBoth(t, func(cfg *broker.Config) { cfg.Hooks = hooks }, func(t *testing.T, r *harness) {
			r.broker.rows = []kmsg.ApiVersionsResponseApiKey{{ApiKey: 40, MinVersion: 2, MaxVersion: 1}}
			calls = 0
			r.ready()
			equal(t, "calls of "+name, calls, 1)
		})
	}
}

// TestAuthStartIsCalled: as the login begins, with its mechanism.
func TestAuthStartIsCalled(t *testing.T) {
	var logins []broker.LoginInfo
	onBoth(t, func(cfg *broker.Config) {
		cfg.Authenticators = []ports.Authenticator{named{}}
		cfg.Hooks = &broker.Hooks{AuthStart: func(_ broker.Endpoint, l broker.LoginInfo) { logins = append(logins, l) }}
	}, func(t *testing.T, r *harness) {
		logins = nil
		r.connect()
		if len(logins) != 1 || logins[0].Mechanism != (named{}).Mechanism() || logins[0].Again {
			t.Errorf("got logins %+v, want one that is new, by %s", logins, named{}.Mechanism())
		}
	})
}
