//go:build acceptance

package acceptance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"brokerconn/acceptance/fakebroker"
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
	if err := errors.Join(sharedKafka.Close(), sharedKerberos.Close()); err != nil {
		fmt.Fprintln(os.Stderr, "close what the tests shared:", err)
		return max(status, 1)
	}
	return status
}

// shared is what the first test that asks starts, and TestMain closes.
type shared[T io.Closer] struct {
	once  sync.Once
	value T
	err   error
	close func() error
}

func (s *shared[T]) start(start func(context.Context) (T, error)) (T, error) {
	s.once.Do(func() {
		if s.value, s.err = start(context.Background()); s.err == nil {
			s.close = s.value.Close
		}
	})
	return s.value, s.err
}

func (s *shared[T]) Close() error {
	if s.close == nil {
		return nil
	}
	return s.close()
}

var sharedKafka shared[*Broker]

// sharedBroker returns a broker of the newest release and the zero Config, which all tests
// share. A test that pauses, kills or configures its broker starts a private one.
func sharedBroker(t testing.TB) *Broker {
	t.Helper()
	return must(sharedKafka.start(func(ctx context.Context) (*Broker, error) { return Start(ctx, Config{}) }))(t)
}

// privateBroker starts a broker for one test.
func privateBroker(t testing.TB, config Config) *Broker {
	t.Helper()
	b := must(Start(t.Context(), config))(t)
	t.Cleanup(func() {
		fakebroker.Must(t, b.Close())
	})
	return b
}
