package logging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode"

	"brokerconn/application/broker"
	"brokerconn/application/logging"
)

// FuzzLines lets a broker choose every text of an event: each event is one line, without a character that moves a
// cursor or hides text, also with a handler that writes values as they are.
func FuzzLines(f *testing.F) {
	f.Add("connection refused", "b:9092", "PLAIN", uint8(0))
	f.Add("\r\nlevel=ERROR msg=\"all is lost\"", "b\x1b[2J", "\u202eNIALP", uint8(1))
	f.Add("\x00\xff\u2028", "", "a\tb", uint8(2))
	f.Fuzz(func(t *testing.T, text, address, mechanism string, state uint8) {
		var plain bytes.Buffer
		var records []slog.Record
		for _, h := range []*broker.Hooks{logging.Hooks(slog.New(slog.NewJSONHandler(&plain,
			&slog.HandlerOptions{Level: slog.LevelDebug}))), logging.Hooks(slog.New(keeper{&records}))} {
			e := broker.Endpoint{Host: "b", Network: "tcp", Address: address}
			err := errors.New(text)
			failure := &broker.Error{Kind: broker.ErrConnection, Broker: "b:9092", Address: address, Cause: err,
				Hint: text}
			login := broker.LoginInfo{Mechanism: mechanism, Again: state%2 == 1}
			from, to := broker.State(state%8), broker.State(state/8%8)
			h.StateChanged(from, to, e, failure)
			h.ResolveDone([]broker.Endpoint{e, e}, err)
			h.DialDone(e, err)
			h.TLSHandshakeDone(e, failure)
			h.AuthStart(e, login)
			h.AuthDone(e, login, failure)
			h.RequestFailed(broker.RequestInfo{}, failure)
			h.IdleLost(e, err)
			h.Warning(text)
			h.Panicked(text)
		}
		const events = 10
		if lines := strings.Count(plain.String(), "\n"); lines != events || len(records) != events {
			t.Fatalf("got %d lines and %d records, want %d:\n%s", lines, len(records), events, plain.String())
		}
		for line := range strings.Lines(plain.String()) {
			var values map[string]any
			if err := json.Unmarshal([]byte(line), &values); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			for key, value := range values {
				if text, ok := value.(string); ok && !printable(text) {
					t.Fatalf("got %s=%q, want printable text", key, text)
				}
			}
		}
		for _, r := range records {
			if !printable(r.Message) {
				t.Fatalf("got the message %q, want printable text", r.Message)
			}
			r.Attrs(func(a slog.Attr) bool {
				if !printable(a.Value.String()) {
					t.Fatalf("%s: got %s=%q, want printable text", r.Message, a.Key, a.Value)
				}
				return true
			})
		}
	})
}

func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && r != unicode.ReplacementChar })
}

// keeper is a handler that keeps the records.
type keeper struct{ records *[]slog.Record }

func (keeper) Enabled(context.Context, slog.Level) bool { return true }

func (k keeper) Handle(_ context.Context, r slog.Record) error {
	*k.records = append(*k.records, r)
	return nil
}

func (k keeper) WithAttrs([]slog.Attr) slog.Handler { return k }
func (k keeper) WithGroup(string) slog.Handler      { return k }
