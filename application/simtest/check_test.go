package simtest_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
	"brokerconn/application/simtest"
)

// What is wrong with the code under test fails the seed, with what a reader needs, and not the
// process.
func TestFailuresOfEachKind(t *testing.T) {
	for name, c := range map[string]struct {
		f    func(*simtest.World)
		want []string
	}{
		"Fatalf": {func(w *simtest.World) { w.Fatalf("lost %d", 3) }, []string{"lost 3 (check_test.go:"}},
		"Errorf": {func(w *simtest.World) { w.Errorf("lost %d", 4) }, []string{"lost 4 (check_test.go:"}},
		"Eventually": {func(w *simtest.World) { w.Eventually(time.Second, func() bool { return false }) },
			[]string{"failed at 1s: Eventually: not true after 1s (check_test.go:"}},
		"Never": {func(w *simtest.World) {
			w.Never("late", func() bool { return w.Elapsed() >= time.Second })
			w.Sleep(time.Minute)
		}, []string{"failed at 1m0s: happened, and never should: late (check_test.go:"}},
		"Invariant": {func(w *simtest.World) {
			w.Invariant("balance", func() error { return errors.New("1 too many") })
			w.Sleep(time.Minute)
		}, []string{"failed at 1ns: invariant balance: 1 too many (check_test.go:"}},
		"panic": {func(*simtest.World) { panic("no luck") },
			[]string{"panic in the function of Run: no luck", "simtest_test.TestFailuresOfEachKind"}},
		"panic in Go": {func(w *simtest.World) {
			w.Go(func() { panic("no luck") })
			w.Sleep(time.Second)
		}, []string{"panic in Go: no luck", "simtest_test.TestFailuresOfEachKind"}},
		"panic in Drive": {func(w *simtest.World) {
			w.Drive(func(time.Time) time.Time { panic("no luck") })
			w.Sleep(time.Second)
		}, []string{"panic in Drive: no luck", "simtest_test.TestFailuresOfEachKind"}},
		"Fatalf in Drive": {func(w *simtest.World) {
			w.Drive(func(time.Time) time.Time { w.Fatalf("lost %d", 5); return time.Time{} })
			w.Sleep(time.Second)
		}, []string{"lost 5 (check_test.go:"}},
		"Fatalf in a handler": {func(w *simtest.World) {
			w.Handle(kmsg.Metadata, func(int, kmsg.Request) kmsg.Response { w.Fatalf("lost %d", 6); return nil })
			conn, _ := dial(w)
			defer conn.Close()
			_ = ask(w, conn)
		}, []string{"lost 6 (check_test.go:"}},
		"panic in a hook": {func(w *simtest.World) {
			cfg := w.Config(0)
			cfg.Hooks.Versions = func(broker.Endpoint, *broker.Versions) { panic("no luck") }
			p, _ := broker.NewPolled(cfg)
			_, _ = p.CheckVersion(time.Second, false, nil)
		}, []string{"panic in a hook: no luck"}},
		"no such broker": {func(w *simtest.World) { w.Config(7) },
			[]string{"panic in the function of Run: simtest: there is no broker 7: Options.Brokers is 3"}},
		"goroutine left behind": {func(*simtest.World) { go leak() },
			[]string{"goroutines are left behind", "simtest_test.leak"}},
		"Go does not end": {func(w *simtest.World) { w.Go(leak) },
			[]string{"did not end within 10m0s after World.Context", "simtest_test.leak"}},
		"Drive does not end": {func(w *simtest.World) {
			w.Drive(func(time.Time) time.Time { leak(); return time.Time{} })
			w.Sleep(time.Second)
		}, []string{"did not end within 10m0s after World.Context", "simtest_test.leak"}},
		"Cleanup does not return": {func(w *simtest.World) { w.Cleanup(leak) },
			[]string{"a function of Cleanup did not return within 10m0s of virtual time", "simtest_test.leak"}},
		"panic in Cleanup": {func(w *simtest.World) { w.Cleanup(func() { panic("unclean") }) },
			[]string{"panic in a function of Cleanup: unclean"}},
		"never returns": {func(*simtest.World) { leak() },
			[]string{"did not return within 1h0m0s of virtual time (Options.Limit)", "simtest_test.leak"}},
		"no time passes": {func(w *simtest.World) {
			w.Drive(func(now time.Time) time.Time { return now })
			w.Sleep(time.Second)
		}, []string{"no time passes"}},
	} {
		t.Run(name, func(t *testing.T) {
			failure := simtest.Check(t, simtest.Options{Seeds: 1}, c.f)
			if failure == nil {
				t.Fatal("got no failure")
			}
			for _, want := range c.want {
				if !strings.Contains(failure.Error(), want) {
					t.Errorf("got %s\nwant %q", failure, want)
				}
			}
		})
	}
}

// While a step waits, the other loops and the world go on, and it is called again afterwards if it has
// missed something.
func TestStepThatWaitsHoldsUpNoOther(t *testing.T) {
	simtest.Run(t, simtest.Options{Seeds: 5}, func(w *simtest.World) {
		var slow atomic.Int32 // no event of the world is between the sleep and what is behind it
		others := 0
		w.Drive(func(now time.Time) time.Time {
			time.Sleep(time.Second)
			slow.Add(1)
			return now.Add(time.Minute)
		})
		w.Drive(func(now time.Time) time.Time {
			others++
			return now.Add(10 * time.Millisecond)
		})
		w.Sleep(10*time.Second + time.Millisecond)
		if n := slow.Load(); n < 9 || n > 10 || others < 990 {
			w.Errorf("got %d and %d steps, want one a second, and one each 10 ms", n, others)
		}
	})
}

func leak() {
	select {}
}

// Two runs of a seed that differ are a failure that says where.
func TestDifferentRunsFail(t *testing.T) {
	run := 0
	failure := simtest.Check(t, simtest.Options{Seeds: 1}, func(w *simtest.World) {
		run++
		w.Sleep(time.Second)
		w.Say("run %d", run)
	})
	if failure == nil || failure.At != time.Second || !strings.Contains(failure.Text, "run 1, and 1s run 2") {
		t.Fatalf("got %v", failure)
	}
	if failure := simtest.Check(t, simtest.Options{Seeds: 1, Once: true}, func(w *simtest.World) {
		run++
		w.Say("run %d", run)
	}); failure != nil {
		t.Errorf("with Once: %v", failure)
	}
}

// A program that calls synctest.Wait itself does not stop the world.
func TestWaitOfSynctestItself(t *testing.T) {
	if failure := simtest.Check(t, simtest.Options{Seeds: 20, Once: true}, func(w *simtest.World) {
		conn, _ := dial(w)
		defer conn.Close()
		w.Go(func() {
			for w.Context().Err() == nil {
				_ = ask(w, conn)
				synctest.Wait()
			}
		})
		w.Sleep(time.Second)
	}); failure != nil && !strings.Contains(failure.Text, "wait already in progress") {
		t.Fatal(failure)
	}
}

// A goroutine that asks without a pause ends although its Conn was closed first, as a deferred Close does.
func TestGoroutineWithoutPauseEnds(t *testing.T) {
	simtest.Run(t, simtest.Options{Seeds: 5}, func(w *simtest.World) {
		conn, _ := dial(w)
		defer conn.Close()
		w.Go(func() {
			for w.Context().Err() == nil {
				_ = ask(w, conn)
			}
		})
		w.Sleep(time.Second)
	})
}

func TestInjectHasBegunWhenItReturns(t *testing.T) {
	simtest.Run(t, simtest.Options{Seeds: 20}, func(w *simtest.World) {
		w.Chaos(time.Minute)
		w.Inject(simtest.Refuse.On(1).For(time.Hour))
		if conn, err := broker.Dial(broker.WithFailFast(w.Context()), w.Config(1)); err == nil {
			conn.Close()
			w.Fatalf("a broker that refuses connections has accepted one")
		}
	})
}

func TestSettlesSaysTheLastError(t *testing.T) {
	failure := simtest.Check(t, simtest.Options{Seeds: 1}, func(w *simtest.World) {
		n := 0
		w.Settles(time.Second, func() error { n++; return fmt.Errorf("got %d, want 1000", n) })
	})
	if failure == nil || !strings.Contains(failure.Text, "Settles: got 2, want 1000 after 1s") {
		t.Errorf("got %v, want the last error", failure)
	}
}
