package domain_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"brokerconn/domain"
)

// netError is what package net returns for a dial (no source), or for a read.
func netError(op, from, to string, err error) error {
	e := &net.OpError{Op: op, Net: "tcp", Addr: must(net.ResolveTCPAddr("tcp", to)), Err: err}
	if from != "" {
		e.Source = must(net.ResolveTCPAddr("tcp", from))
	}
	return e
}

// The text of an error names each address once, also where an error beneath repeats it, and
// has the request, how much of it was sent, and the phase.
func TestErrorText(t *testing.T) {
	refused := netError("dial", "", "10.0.0.7:9092", os.NewSyscallError("connect", syscall.ECONNREFUSED))
	reset := netError("read", "10.0.0.1:50000", "10.0.0.7:9092", os.NewSyscallError("read", syscall.ECONNRESET))
	dial := &domain.Error{Kind: domain.ErrDial, Phase: domain.Connecting, Broker: "kafka:9092",
		Address: "10.0.0.7:9092", Attempt: 3, Cause: refused, Hint: "is it up?"}
	lost := &domain.Error{Kind: domain.ErrConnection, Phase: domain.Connected, Broker: "kafka:9092",
		Address: "10.0.0.7:9092", Cause: reset, API: "Produce", Version: 9, Sent: domain.SentPartly}
	half := &domain.Error{Kind: domain.ErrRequestTimeout, Phase: domain.Connected, Broker: "10.0.0.7:9092",
		Address: "10.0.0.7:9092", API: "Metadata", Version: 1, Sent: domain.SentFully, ResponseBytes: 49,
		Cause: errors.New("no whole answer after 30s")}
	for _, c := range []struct {
		err  *domain.Error
		want string
	}{
		{dial, "kafka:9092 (10.0.0.7:9092): cannot connect while Connecting (attempt 3): " +
			"connect: connection refused"},
		{lost, "kafka:9092 (10.0.0.7:9092): Produce v9 (partly sent): connection lost while Connected: " +
			"read: connection reset by peer"},
		{half, "10.0.0.7:9092: Metadata v1 (fully sent): request timed out while Connected, " +
			"49 bytes into the response: no whole answer after 30s"},
		{&domain.Error{Kind: domain.ErrNotConnected, Broker: "kafka:9092", Address: "10.0.0.7:9092",
			API: "Metadata", Version: -1, Cause: dial},
			"kafka:9092 (10.0.0.7:9092): Metadata (not sent): not connected: cannot connect while Connecting " +
				"(attempt 3): connect: connection refused"},
		{&domain.Error{Kind: domain.ErrNotConnected, Broker: "kafka:9092", Address: "10.0.0.8:9092",
			Cause: fmt.Errorf("before: %w", dial)},
			"kafka:9092 (10.0.0.8:9092): not connected: before: 10.0.0.7:9092: cannot connect while Connecting " +
				"(attempt 3): connect: connection refused"},
		{&domain.Error{Kind: domain.ErrRequestTimeout, Broker: "kafka:9092", API: "Fetch", Version: -1,
			Queued: 30 * time.Second, QueuedBehind: 7},
			"kafka:9092: Fetch (not sent): request timed out, queued for 30s behind 7"},
		{&domain.Error{Kind: domain.ErrDial, Broker: "kafka:9092", Address: "10.0.0.7:909",
			Cause: errors.New("CONNECT kafka:9092: no, and 10.0.0.7:9092 neither")},
			"kafka:9092 (10.0.0.7:909): cannot connect: CONNECT it: no, and 10.0.0.7:9092 neither"},
		// A list of addresses has the one in use, which then is not named before.
		{&domain.Error{Kind: domain.ErrDial, Broker: "localhost:9092", Address: "127.0.0.1:9092",
			Cause: errors.New("connect: connection refused ([::1]:9092, 127.0.0.1:9092)")},
			"localhost:9092: cannot connect: connect: connection refused ([::1]:9092, 127.0.0.1:9092)"},
		{&domain.Error{Kind: domain.ErrDial, Broker: "localhost:9092", Address: "127.0.0.1:9092",
			Cause: errors.New("no answer (127.0.0.1:9092); refused ([::1]:9092)")},
			"localhost:9092: cannot connect: no answer (127.0.0.1:9092); refused ([::1]:9092)"},
		{&domain.Error{Kind: domain.ErrConnection, Broker: "k:1", Phase: domain.Connected, API: "Metadata", Version: 13,
			Queued: 20 * time.Microsecond, Cause: io.EOF},
			"k:1: Metadata v13 (not sent): connection lost while Connected: EOF"},
		// Digits around an address make it another one, other characters do not.
		{&domain.Error{Kind: domain.ErrDial, Broker: "k:1", Address: "10.0.0.7:909",
			Cause: errors.New("not 910.0.0.7:909 x010.0.0.7:909 10.0.0.7:9090 10.0.0.7:9099 " +
				"but (10.0.0.7:909 9/10.0.0.7:909")},
			"k:1 (10.0.0.7:909): cannot connect: not 910.0.0.7:909 x010.0.0.7:909 10.0.0.7:9090 10.0.0.7:9099 " +
				"but (it 9/it"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

func TestErrorTextIsBounded(t *testing.T) {
	for _, n := range []int{0, 100, 277, 278, 279, 2000} { // behind 22 others
		e := &domain.Error{Kind: domain.ErrConnection, Broker: "k:1", Cause: errors.New(strings.Repeat("é", n))}
		got, whole := e.Error(), "k:1: connection lost: "+strings.Repeat("é", n)
		want := whole
		if utf8.RuneCountInString(whole) > 300 {
			want = whole[:len("k:1: connection lost: ")] + strings.Repeat("é", 175) + "..." + strings.Repeat("é", 100)
		}
		if got != want {
			t.Errorf("%d characters: got %d, want %d", n, utf8.RuneCountInString(got), utf8.RuneCountInString(want))
		}
		if !strings.Contains(e.Explain(), strings.Repeat("é", n)) {
			t.Errorf("%d characters: Explain leaves some out", n)
		}
	}
}

// TestEndOfLongErrorIsKept: the reason of a broker ends with the id under which its log has
// more, as that of Strimzi's kafka-oauth-server 0.17.1 for a long issuer, and an error of Go
// with its root cause.
func TestEndOfLongErrorIsKept(t *testing.T) {
	const end = "(ErrId: 1f2e3d4c)"
	issuer := "https://login.test/" + strings.Repeat("realms/", 50)
	e := &domain.Error{Kind: domain.ErrAuthentication, Phase: domain.Authenticating, Broker: "kafka:9092",
		Cause: &domain.BrokerError{Code: 58, Message: "Issuer not allowed: " + issuer + " " + end}}
	for how, text := range map[string]string{"Error": e.Error(), "LogValue": e.LogValue().Group()[0].Value.String()} {
		if !strings.HasSuffix(text, end) ||
			!strings.HasPrefix(text, "kafka:9092: authentication failed while Authenticating: the broker") {
			t.Errorf("%s: got %q, want its start and %q", how, text, end)
		}
	}
}

func TestErrorExplains(t *testing.T) {
	e := &domain.Error{Kind: domain.ErrConnection, Phase: domain.Connected, Broker: "kafka:9092",
		Address: "1.2.3.4:9092", Cause: io.EOF, Hint: "send less at once", API: "Produce", Version: 9,
		Sent: domain.SentPartly, RequestBytes: 1 << 20, Queued: 2 * time.Second, QueuedBehind: 12,
		OldestInFlight: 3 * time.Second, SinceLastByte: 4 * time.Second}
	want := `kafka:9092 (1.2.3.4:9092): Produce v9 (partly sent): connection lost while Connected: EOF
  request     Produce v9, 1048576 bytes, partly sent
  queue       it waited 2s, behind 12 requests
  in flight   the oldest request for 3s
  last byte   received 4s before
  hint        send less at once`
	if got := e.Explain(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	least := &domain.Error{Kind: domain.ErrConnection, Broker: "k:1", API: "Produce", RequestBytes: 1,
		Queued: 1, OldestInFlight: 1, SinceLastByte: 1}
	if got, want := strings.Count(least.Explain(), "\n"), 4; got != want {
		t.Errorf("got %d lines more, want %d: what is set is shown, in milliseconds:\n%s", got, want, least.Explain())
	}
	bare := &domain.Error{Kind: domain.ErrClosed, Broker: "kafka:9092"}
	if got := bare.Explain(); got != bare.Error() {
		t.Errorf("got %q, want %q", got, bare)
	}
}

func TestErrorIsLoggedByFields(t *testing.T) {
	var out bytes.Buffer
	l := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(g []string, a slog.Attr) slog.Attr {
		if len(g) == 0 && a.Key != "error" {
			return slog.Attr{}
		}
		return a
	}}))
	for _, c := range []struct {
		err  *domain.Error
		want string
	}{
		{&domain.Error{Kind: domain.ErrClosed, Broker: "b:1"},
			`{"error":{"msg":"b:1: connection closed","kind":"connection closed","phase":"Disconnected",` +
				`"broker":"b:1"}}`},
		{&domain.Error{Kind: domain.ErrConnection, Phase: domain.Connected, Broker: "b:1", Address: "a:1", Attempt: 1,
			API: "Fetch", Sent: domain.SentFully, RequestBytes: 7, ResponseBytes: 8, Queued: 1, QueuedBehind: 2,
			OldestInFlight: 3, SinceLastByte: 4, Hint: "wait"},
			`{"error":{"msg":"b:1 (a:1): Fetch v0 (fully sent): connection lost while Connected, 8 bytes into the ` +
				`response","kind":"connection lost","phase":"Connected","broker":"b:1","address":"a:1","attempt":1,` +
				`"api":"Fetch","version":0,"sent":"fully sent","request_bytes":7,"response_bytes":8,"queued":1,` +
				`"queued_behind":2,"oldest_in_flight":3,"since_last_byte":4,"hint":"wait"}}`},
		{&domain.Error{Kind: domain.ErrNotReady, Broker: "b:1", API: "Fetch", Version: -1},
			`{"error":{"msg":"b:1: Fetch (not sent): connection not ready","kind":"connection not ready",` +
				`"phase":"Disconnected","broker":"b:1","api":"Fetch","sent":"not sent"}}`},
		{&domain.Error{Kind: domain.ErrConnection, Broker: "b:1", API: "Fetch", RequestBytes: 1, ResponseBytes: 1,
			Queued: 1, OldestInFlight: 1, SinceLastByte: 1},
			`{"error":{"msg":"b:1: Fetch v0 (not sent): connection lost, 1 bytes into the response",` +
				`"kind":"connection lost","phase":"Disconnected","broker":"b:1","api":"Fetch","version":0,` +
				`"sent":"not sent","request_bytes":1,"response_bytes":1,"queued":1,"queued_behind":0,` +
				`"oldest_in_flight":1,"since_last_byte":1}}`},
	} {
		out.Reset()
		l.Info("", "error", c.err)
		if got := strings.TrimSpace(out.String()); got != c.want {
			t.Errorf("got\n%s\nwant\n%s", got, c.want)
		}
	}
}

// TestErrorUnwrapsToNoNil: package errors allows no nil among the errors that are wrapped.
func TestErrorUnwrapsToNoNil(t *testing.T) {
	for _, cause := range []error{nil, io.EOF} {
		e := &domain.Error{Kind: domain.ErrClosed, Cause: cause}
		if slices.Contains(e.Unwrap(), nil) || !slices.Contains(e.Unwrap(), e.Kind) {
			t.Errorf("cause %v: got %v, want the kind, and no nil", cause, e.Unwrap())
		}
	}
}

// TestErrorIsPrintable: a cause and a hint may quote a peer, and handlers of log/slog write
// control characters of 8 bits and overrides of the writing direction as they are.
func TestErrorIsPrintable(t *testing.T) {
	const evil = "a\x1b[2J\r\nb\u009b31m\u202ec\x7f\u2066\ufeff\xff"
	inner := &domain.Error{Kind: domain.ErrDial, Broker: "b:1", Cause: errors.New(evil), Hint: evil}
	for _, e := range []*domain.Error{inner, {Kind: domain.ErrClosed, Broker: "b:1", Cause: inner, Hint: evil},
		{Kind: domain.ErrResolve, Broker: "b:1", Address: evil, Cause: fmt.Errorf("wrapped: %w", inner)}} {
		texts := map[string]string{"Error": e.Error(), "Explain": strings.ReplaceAll(e.Explain(), "\n  ", "")}
		for _, a := range e.LogValue().Group() {
			texts["LogValue "+a.Key] = a.Value.String()
		}
		for name, text := range texts {
			if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
				t.Errorf("%s: got %q, want printable text", name, text)
			}
		}
	}
}
