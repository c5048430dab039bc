package logging_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/memory"
	"brokerconn/application/broker"
	"brokerconn/application/logging"
)

// logger returns a Logger that writes lines without the time.
func logger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: withoutTime}))
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

func TestLines(t *testing.T) {
	var out bytes.Buffer
	var h *broker.Hooks // a new one for each line: a failure that repeats is written otherwise
	e := broker.Endpoint{Host: "b", Network: "tcp", Address: "B"}
	failure := errors.New("it failed")
	login := broker.LoginInfo{Mechanism: "PLAIN", Again: true, Lifetime: time.Minute}
	request := broker.RequestInfo{Key: 3, Version: 9, CorrelationID: 7}
	until := time.Date(2026, 1, 1, 0, 0, 5, 0, time.UTC)
	moved := func(from, to broker.State, err error) func() { return func() { h.StateChanged(from, to, e, err) } }
	for _, c := range []struct {
		event func()
		want  string // without "level=" and "msg="
	}{
		{moved(broker.Disconnected, broker.Connecting, nil),
			`DEBUG "state changed" address=B from=Disconnected to=Connecting`},
		{moved(broker.NegotiatingVersions, broker.Connected, nil),
			`INFO connected address=B from=NegotiatingVersions to=Connected`},
		{moved(broker.Connected, broker.Disconnected, failure),
			`WARN "connection lost" address=B from=Connected to=Disconnected error="it failed"`},
		{moved(broker.Connecting, broker.Disconnected, failure),
			`WARN "could not connect" address=B from=Connecting to=Disconnected error="it failed"`},
		{moved(broker.Connected, broker.Closed, nil), `DEBUG "state changed" address=B from=Connected to=Closed`},
		{func() { h.ResolveStart("b", 9092) }, `DEBUG "looking up" host=b port=9092`},
		{func() { h.ResolveDone([]broker.Endpoint{e, e}, nil) }, `DEBUG "looked up" addresses="[B B]"`},
		{func() { h.ResolveDone(nil, failure) }, `DEBUG "failed: looked up" addresses=[] error="it failed"`},
		{func() { h.DialStart(e) }, `DEBUG dialling address=B`},
		{func() { h.DialDone(e, nil) }, `DEBUG dialled address=B`},
		{func() { h.DialDone(e, failure) }, `DEBUG "failed: dialled" address=B error="it failed"`},
		{func() { h.TLSHandshakeDone(e, nil) }, `DEBUG "TLS handshake done" address=B`},
		{func() { h.Versions(e, &broker.Versions{}) }, `DEBUG "API versions known" address=B apis=0`},
		{func() { h.AuthStart(e, login) }, `DEBUG "logging in" address=B mechanism=PLAIN again=true`},
		{func() { h.AuthDone(e, login, nil) }, `DEBUG "logged in" address=B mechanism=PLAIN again=true lifetime=1m0s`},
		{func() { h.AuthDone(e, login, failure) },
			`WARN "login failed" address=B mechanism=PLAIN again=true error="it failed"`},
		{func() { h.AuthDone(e, login, broker.ErrClosed) }, // by its owner
			`DEBUG "login failed" address=B mechanism=PLAIN again=true error="connection closed"`},
		{func() { h.RequestFailed(request, failure) },
			`DEBUG "request failed" api_key=3 version=9 correlation_id=7 error="it failed"`},
		{func() { h.Throttled(e, until) }, `INFO "throttled by the broker" address=B until=2026-01-01T00:00:05.000Z`},
		{func() { h.Idle(e) }, `DEBUG "closed an idle connection" address=B`},
		{func() { h.IdleLost(e, io.EOF) }, `DEBUG "an idle connection was lost" address=B error=EOF`},
		{func() { h.Warning("it may be wrong") }, `WARN "it may be wrong"`},
		{func() { h.Panicked("oh") }, `ERROR "a hook panicked" panic=oh`},
	} {
		out.Reset()
		h = logging.Hooks(logger(&out, slog.LevelDebug))
		c.event()
		got := strings.NewReplacer("level=", "", "msg=", "", "\n", "").Replace(out.String())
		if got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// TestEveryHookWrites fails for a hook that is new in broker.Hooks, until it writes a line or
// is listed here.
func TestEveryHookWrites(t *testing.T) {
	h := reflect.ValueOf(logging.Hooks(slog.Default())).Elem()
	for i := range h.NumField() {
		name := h.Type().Field(i).Name
		perRequest := name == "RequestWritten" || name == "RequestAnswered"
		if h.Field(i).IsNil() != perRequest {
			t.Errorf("%s: got nil %v, want %v", name, h.Field(i).IsNil(), perRequest)
		}
	}
}

// The close of an idle connection is written with level Debug, its loss with Warn.
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
		t.Fatalf("got state %v, want Disconnected", p.State())
	}
	p.Connect()
	network.Accept()
	network.Accept().Close()
	p.Recv()
	want := []string{
		`level=WARN msg="APIVersion: release 9.9 is not known; the API versions of 4.4 are used"`,
		`level=INFO msg=connected address=b:9092 from=Connecting to=Connected`,
		`level=INFO msg=connected address=b:9092 from=Connecting to=Connected`,
		`level=WARN msg="connection lost" address=b:9092 from=Connected to=Disconnected error="b:9092: `,
	}
	got := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if !slices.EqualFunc(got, want, strings.HasPrefix) {
		t.Errorf("got\n%q\nwant prefixes\n%q", got, want)
	}
}

func TestNilLogger(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("got no panic for a nil Logger")
		}
	}()
	logging.Hooks(nil)
}

func ExampleHooks() {
	lines := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	p, err := broker.NewPolled(broker.Config{
		Host: "broker-1", Transport: memory.New(), APIVersion: broker.Release{Major: 4}, Hooks: logging.Hooks(lines),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	p.Connect()
	// Output:
	// level=INFO msg=connected address=broker-1:9092 from=Connecting to=Connected
}

// TestTextOfBrokersIsPrintable: a handler for JSON writes DEL, the control characters of 8
// bits and overrides of the writing direction as they are.
func TestTextOfBrokersIsPrintable(t *testing.T) {
	const evil = "a\x1b[2J\r\nb\u009b31m\u202ec\x7f\u2066\ufeff"
	var out bytes.Buffer
	handler := &slog.HandlerOptions{Level: slog.LevelDebug}
	h := reflect.ValueOf(logging.Hooks(slog.New(slog.NewJSONHandler(&out, handler)))).Elem()
	fill := map[reflect.Type]any{
		reflect.TypeFor[error](): errors.New(evil), reflect.TypeFor[string](): evil,
		reflect.TypeFor[any](): errors.New(evil), reflect.TypeFor[broker.Endpoint](): broker.Endpoint{Address: evil},
		reflect.TypeFor[[]broker.Endpoint](): []broker.Endpoint{{Address: evil}},
		reflect.TypeFor[broker.LoginInfo]():  broker.LoginInfo{Mechanism: evil},
	}
	for i := range h.NumField() {
		hook := h.Field(i)
		if hook.IsNil() {
			continue
		}
		var args []reflect.Value
		for at := range hook.Type().NumIn() {
			in := hook.Type().In(at)
			arg := reflect.Zero(in)
			if v, ok := fill[in]; ok {
				arg = reflect.ValueOf(v)
			} else if in.Kind() == reflect.Pointer {
				arg = reflect.New(in.Elem())
			}
			args = append(args, arg)
		}
		out.Reset()
		hook.Call(args)
		line := strings.TrimSuffix(out.String(), "\n")
		if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) ||
			strings.Contains(line, `\u00`) || strings.Contains(line, `\n`) {
			t.Errorf("%s: got %q, want printable text", h.Type().Field(i).Name, line)
		}
	}
}
