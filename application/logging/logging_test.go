package logging_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/memory"
	"brokerconn/application/broker"
	"brokerconn/application/logging"
)

// logger writes lines without the time.
func logger(w *bytes.Buffer, level slog.Level) *slog.Logger { return slog.New(handler(w, level)) }

func handler(w *bytes.Buffer, level slog.Level) slog.Handler {
	return slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: withoutTime})
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func TestLines(t *testing.T) {
	var out bytes.Buffer
	h := logging.Hooks(logger(&out, slog.LevelDebug))
	e := broker.Endpoint{Host: "b", Network: "tcp", Address: "10.0.0.1:9092"}
	failure := errors.New("it failed")
	login := broker.LoginInfo{Mechanism: "PLAIN", Again: true, Lifetime: time.Minute}
	for _, c := range []struct {
		event func()
		want  string
	}{
		{func() { h.StateChanged(broker.Disconnected, broker.Connecting, e, nil) },
			`level=DEBUG msg="state changed" address=10.0.0.1:9092 from=Disconnected to=Connecting`},
		{func() { h.StateChanged(broker.NegotiatingVersions, broker.Connected, e, nil) },
			`level=INFO msg=connected address=10.0.0.1:9092 from=NegotiatingVersions to=Connected`},
		{func() { h.StateChanged(broker.Connected, broker.Disconnected, e, failure) },
			`level=WARN msg="connection lost" address=10.0.0.1:9092 from=Connected to=Disconnected error="it failed"`},
		{func() { h.StateChanged(broker.Connecting, broker.Disconnected, e, failure) },
			`level=WARN msg="could not connect" address=10.0.0.1:9092 from=Connecting to=Disconnected error="it failed"`},
		{func() { h.StateChanged(broker.Connected, broker.Closed, e, nil) },
			`level=DEBUG msg="state changed" address=10.0.0.1:9092 from=Connected to=Closed`},
		{func() { h.ResolveStart("b", 9092) }, `level=DEBUG msg="looking up" host=b port=9092`},
		{func() { h.ResolveDone([]broker.Endpoint{e, e}, nil) }, `level=DEBUG msg="looked up" addresses="[10.0.0.1:9092 10.0.0.1:9092]"`},
		{func() { h.ResolveDone(nil, failure) }, `level=DEBUG msg="failed: looked up" addresses=[] error="it failed"`},
		{func() { h.DialStart(e) }, `level=DEBUG msg=dialling address=10.0.0.1:9092`},
		{func() { h.DialDone(e, nil) }, `level=DEBUG msg=dialled address=10.0.0.1:9092`},
		{func() { h.DialDone(e, failure) }, `level=DEBUG msg="failed: dialled" address=10.0.0.1:9092 error="it failed"`},
		{func() { h.TLSHandshakeDone(e, nil) }, `level=DEBUG msg="TLS handshake done" address=10.0.0.1:9092`},
		{func() { h.Versions(e, &broker.Versions{}) }, `level=DEBUG msg="API versions known" address=10.0.0.1:9092 apis=0`},
		{func() { h.AuthStart(e, login) }, `level=DEBUG msg="logging in" address=10.0.0.1:9092 mechanism=PLAIN again=true`},
		{func() { h.AuthDone(e, login, nil) }, `level=DEBUG msg="logged in" address=10.0.0.1:9092 mechanism=PLAIN again=true lifetime=1m0s`},
		{func() { h.AuthDone(e, login, failure) },
			`level=WARN msg="login failed" address=10.0.0.1:9092 mechanism=PLAIN again=true error="it failed"`},
		{func() { h.RequestFailed(broker.RequestInfo{Key: 3, Version: 9, CorrelationID: 7}, failure) },
			`level=DEBUG msg="request failed" api_key=3 version=9 correlation_id=7 error="it failed"`},
		{func() { h.Throttled(e, time.Date(2026, 1, 1, 0, 0, 5, 0, time.UTC)) },
			`level=INFO msg="throttled by the broker" address=10.0.0.1:9092 until=2026-01-01T00:00:05.000Z`},
		{func() { h.Idle(e) }, `level=DEBUG msg="closed an idle connection" address=10.0.0.1:9092`},
		{func() { h.Warning("it may be wrong") }, `level=WARN msg="it may be wrong"`},
		{func() { h.Panicked("oh") }, `level=ERROR msg="a hook panicked" panic=oh`},
	} {
		out.Reset()
		c.event()
		if got := strings.TrimSuffix(out.String(), "\n"); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// TestEveryHookButThoseOfTheDataPath: a hook that is added to broker gets a line, or
// a reason here.
func TestEveryHookButThoseOfTheDataPath(t *testing.T) {
	h := reflect.ValueOf(logging.Hooks(slog.Default())).Elem()
	for i := range h.NumField() {
		name := h.Type().Field(i).Name
		perRequest := name == "RequestWritten" || name == "RequestAnswered"
		if h.Field(i).IsNil() != perRequest {
			t.Errorf("%s: nil is %v", name, h.Field(i).IsNil())
		}
	}
}

// TestIdleCloseIsQuiet: that an idle connection is closed is no news to whoever
// looks for trouble; that one is lost is.
func TestIdleCloseIsQuiet(t *testing.T) {
	var out bytes.Buffer
	clock, network := fake.New(time.Time{}), memory.New()
	p, err := broker.NewPolled(broker.Config{
		Host: "b", Transport: network, Clock: clock, IdleTimeout: time.Minute,
		APIVersion: broker.Release{Major: 9, Minor: 9}, Hooks: logging.Hooks(logger(&out, slog.LevelInfo)),
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Connect()
	clock.Advance(time.Minute)
	p.Recv()
	if !p.Disconnected() {
		t.Fatalf("state %v", p.State())
	}
	p.Connect()
	network.Accept()
	network.Accept().Close()
	p.Recv()
	want := []string{
		`level=WARN msg="APIVersion: release 9.9 is not known; the API versions of 4.4 are used"`,
		`level=INFO msg=connected address=b:9092 from=Connecting to=Connected`,
		`level=INFO msg=connected address=b:9092 from=Connecting to=Connected`,
		`level=WARN msg="connection lost" address=b:9092 from=Connected to=Disconnected error="b:9092: connection lost: EOF - the peer closed the connection before it answered anything: a port for TLS, or another protocol?"`,
	}
	if got := strings.TrimSuffix(out.String(), "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

func TestNilLogger(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("nil was taken")
		}
	}()
	logging.Hooks(nil)
}

func ExampleHooks() {
	lines := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	network := memory.New()
	network.RefuseDial("broker-1:9092", errors.New("connection refused"))
	p, err := broker.NewPolled(broker.Config{Host: "broker-1", Transport: network, Hooks: logging.Hooks(lines)})
	if err != nil {
		fmt.Println(err)
		return
	}
	p.Connect()
	// Output:
	// level=WARN msg="could not connect" address=broker-1:9092 from=Connecting to=Disconnected error="broker-1:9092: cannot connect while Connecting: memory: dial broker-1:9092: connection refused"
}
