//go:build acceptance

package acceptance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// The one TestMain of the package: nothing runs without Java and Maven, the
// shared broker and KDC end with the last test, and no goroutine outlives it.
func TestMain(m *testing.M) {
	if run, status := Gate(os.Stderr); !run {
		os.Exit(status)
	}
	goleak.VerifyTestMain(suite{m})
}

type suite struct{ *testing.M }

func (s suite) Run() int {
	status := s.M.Run()
	if err := errors.Join(closeShared(), closeSharedKDC()); err != nil {
		fmt.Fprintln(os.Stderr, "close what the tests shared:", err)
		return max(status, 1)
	}
	return status
}

var shared struct {
	sync.Once
	broker *Broker
	err    error
}

// sharedBroker returns the newest broker with its plain configuration, started
// by the first test that asks and shared by all. Tests leave it as they found
// it; who pauses, kills or reconfigures starts one of their own.
func sharedBroker(t testing.TB) *Broker {
	t.Helper()
	shared.Do(func() { shared.broker, shared.err = Start(context.Background(), Config{}) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.broker
}

func closeShared() error {
	if shared.broker == nil {
		return nil
	}
	return shared.broker.Close()
}

// privateBroker starts a broker for one test, which may do with it what it likes.
func privateBroker(t testing.TB, config Config) *Broker {
	t.Helper()
	b, err := Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}
