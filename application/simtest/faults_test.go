package simtest_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
	"brokerconn/application/simtest"
)

// Each fault has the effect that its kind has over TCP: on a connection that is there, and on the
// next one.
func TestFaultsHaveTheirEffect(t *testing.T) {
	reset, closed := "connection reset by peer", "EOF"
	for _, c := range []struct {
		fault simtest.Fault
		want  string        // in the error of a request a second later
		back  time.Duration // when a request is answered again, at the latest
	}{
		{simtest.Cut, closed, 2 * time.Second},
		{simtest.Reset, reset, 2 * time.Second},
		{simtest.HalfClose, closed, 2 * time.Second},
		{simtest.Silent, "request timed out", 4 * time.Second},
		{simtest.Forget, reset, 2 * time.Second},
		{simtest.Restart.For(5 * time.Second), reset, 8 * time.Second},
		{simtest.WrongID, "correlation id 3 where 2 was due", 2 * time.Second},
		{simtest.Truncate, closed, 2 * time.Second},
		{simtest.Garbage, "48 54 54 50", 2 * time.Second}, // HTTP
		{simtest.Drop, "request timed out", 4 * time.Second},
		{simtest.Slow(3*time.Second, 3*time.Second), "request timed out", 14 * time.Second},
	} {
		t.Run(c.fault.Name, func(t *testing.T) {
			simtest.Run(t, simtest.Options{Seeds: 20}, func(w *simtest.World) {
				conn, lost := dial(w)
				defer conn.Close()
				w.At(time.Second, c.fault.On(0))
				w.Sleep(time.Second + 100*time.Millisecond - w.Elapsed())
				_ = ask(w, conn)
				if got := errorText(*lost); !strings.Contains(got, c.want) {
					w.Errorf("got %q, want %s", got, c.want)
				}
				begin := w.Now()
				w.Eventually(c.back, func() bool { return ask(w, conn) == nil })
				w.Say("answered again after %v", time.Since(begin))
			})
		})
	}
}

// Faults of new connections leave those that there are.
func TestFaultsOfNewConnections(t *testing.T) {
	for _, c := range []struct {
		fault simtest.Fault
		want  string
	}{
		{simtest.Refuse, "connection refused"},
		{simtest.Deaf, "setup timed out"},
		{simtest.DeadEnd, "EOF"},
		{simtest.NoDNS, "no such host"},
	} {
		t.Run(c.fault.Name, func(t *testing.T) {
			simtest.Run(t, simtest.Options{Seeds: 20}, func(w *simtest.World) {
				conn, _ := dial(w)
				defer conn.Close()
				w.At(w.Elapsed(), c.fault.On(0).For(20*time.Second))
				w.Sleep(time.Millisecond)
				if err := ask(w, conn); err != nil {
					w.Errorf("on the connection that is there: %v", err)
				}
				other, err := broker.NewPolled(short(w.Config(0)))
				if err != nil {
					w.Fatalf("new: %v", err)
				}
				if _, err := other.CheckVersion(3*time.Second, false, nil); !strings.Contains(errorText(err), c.want) {
					w.Errorf("got %v, want %s", err, c.want)
				}
				other.Close(nil)
				w.Sleep(20 * time.Second)
				if verdict, err := other.CheckVersion(3*time.Second, false, nil); err != nil {
					w.Errorf("once it is over: %v %v", verdict, err)
				}
				other.Close(nil)
			})
		})
	}
}

func TestLeadersMove(t *testing.T) {
	simtest.Run(t, simtest.Options{Seeds: 20}, func(w *simtest.World) {
		before := w.Leader("orders", 0)
		w.At(time.Second, simtest.MoveLeaders)
		w.Never("a move before its time", func() bool {
			return w.Elapsed() < time.Second && w.Leader("orders", 0) != before
		})
		w.Sleep(2 * time.Second)
		if w.Leader("orders", 0) == before {
			w.Errorf("the leader is still %d", before)
		}
	})
}

// A fault of a user's own is drawn, ended and shrunk as those of the package are.
func TestFaultOfOnesOwn(t *testing.T) {
	full := simtest.Fault{Name: "disk-full", Least: time.Second, Most: time.Minute,
		Begin: func(w *simtest.World, _ int, _ time.Duration) (end func()) {
			w.Handle(kmsg.Metadata, func(int, kmsg.Request) kmsg.Response { return nil })
			return func() { w.Handle(kmsg.Metadata, nil) }
		}}
	failure := simtest.Check(t, simtest.Options{}, func(w *simtest.World) {
		conn, _ := dial(w)
		defer conn.Close()
		w.Go(func() {
			for w.Context().Err() == nil {
				if err := ask(w, conn); errors.Is(err, broker.ErrRequestTimeout) {
					w.Fatalf("lost: %v", err)
				}
				w.Sleep(time.Second)
			}
		})
		w.Chaos(time.Minute, simtest.Cut, full)
	})
	if failure == nil || strings.Count(failure.Plan, "\n") != 4 || !strings.Contains(failure.Plan, " disk-full") {
		t.Fatalf("got %v, want a plan of a comment, a seed, disk-full and heal", failure)
	}
	full.Name = ""
	failure = simtest.Check(t, simtest.Options{}, func(w *simtest.World) { w.At(0, full) })
	if failure == nil || !strings.Contains(failure.Text, `fault "" needs a name of its own`) {
		t.Fatalf("got %v", failure)
	}
}

// dial returns a Conn to broker 0, and the error with which it was lost first.
func dial(w *simtest.World) (conn *broker.Conn, lost *error) {
	cfg := short(w.Config(0))
	lost = new(error)
	journal := cfg.Hooks.StateChanged
	cfg.Hooks.StateChanged = func(from, to broker.State, at broker.Endpoint, err error) {
		journal(from, to, at, err)
		if *lost == nil {
			*lost = err
		}
	}
	conn, err := broker.Dial(w.Context(), cfg)
	if err != nil {
		w.Fatalf("dial: %v", err)
	}
	return conn, lost
}

func short(cfg broker.Config) broker.Config {
	cfg.RequestTimeout, cfg.SetupTimeout = 2*time.Second, 2*time.Second
	return cfg
}

func ask(w *simtest.World, conn *broker.Conn) error {
	_, err := kmsg.NewPtrMetadataRequest().RequestWith(w.Context(), conn)
	return err
}

// errorText is all that an error says.
func errorText(err error) string {
	if e := new(broker.Error); errors.As(err, &e) {
		return e.Explain()
	}
	if err == nil {
		return ""
	}
	return err.Error()
}
