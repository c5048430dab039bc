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

// sharedBroker returns a broker of the newest release and the zero Config, which all tests
// share. A test that pauses, kills or configures its broker starts a private one.
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

// privateBroker starts a broker for one test.
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
