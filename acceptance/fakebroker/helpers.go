package fakebroker

import (
	"testing"
	"time"

	"brokerconn/application/broker"
)

// receive guards against a hang; the time says nothing else.
func receive(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(time.Minute):
		t.Error("nothing came within a minute")
		panic("hang: see the stacks")
	}
}

// failing is what a *testing.T and a *rapid.T have in common.
type failing interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

func must(t failing, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("got %v, want no error", err)
	}
}

// newConn returns a Conn that is closed when the test ends.
func newConn(t testing.TB, cfg broker.Config) *broker.Conn {
	t.Helper()
	conn, err := broker.NewConn(cfg)
	must(t, err)
	t.Cleanup(func() {
		conn.Close()
		<-conn.Done()
	})
	return conn
}

func configFor(t testing.TB, address string) broker.Config {
	t.Helper()
	host, port, err := broker.ParseAddress(address)
	must(t, err)
	return broker.Config{Host: host, Port: port}
}
