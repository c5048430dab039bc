package fakebroker

import (
	"testing"
	"time"

	"brokerconn/application/broker"
)

// Receive waits for c, and panics after a minute, which prints all stacks.
func Receive(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(time.Minute):
		t.Error("nothing came within a minute")
		panic("hang: see the stacks")
	}
}

// Failing is what a *testing.T and a *rapid.T have in common.
type Failing interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Must fails the test if err is not nil.
func Must(t Failing, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("got %v, want no error", err)
	}
}

// NewConn returns a Conn that is closed when the test ends.
func NewConn(t testing.TB, cfg broker.Config) *broker.Conn {
	t.Helper()
	conn, err := broker.NewConn(cfg)
	Must(t, err)
	t.Cleanup(func() {
		conn.Close()
		<-conn.Done()
	})
	return conn
}

// ConfigFor returns a Config for an address.
func ConfigFor(t testing.TB, address string) broker.Config {
	t.Helper()
	host, port, err := broker.ParseAddress(address)
	Must(t, err)
	return broker.Config{Host: host, Port: port}
}
