package broker_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/memory"
	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// What a program or a port does that it should not.

func mustPanic(t *testing.T, says string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		v := recover()
		assert(t, v != nil && strings.Contains(fmt.Sprint(v), says), "panicked with %v, want %q", v, says)
	}()
	f()
}

// TestCancel: a request that is canceled is done at once, its response is dropped, and one
// that was answered stays so.
func TestCancel(t *testing.T) {
	onReady(t, nil, func(t *testing.T, r *harness) {
		f, behind := r.send(), r.send()
		r.turn()
		f.Cancel()
		f.Cancel()
		var e *broker.Error
		err := r.outcome(f)
		assert(t, errors.Is(err, broker.ErrCanceled) && errors.As(err, &e) && e.Sent == broker.SentFully,
			"canceled: got %v, want ErrCanceled, fully sent", err)
		r.pending(behind)
		r.answer(2, 0)
		behind.Cancel()
		noError(t, r.outcome(behind))
		wantError(t, r.outcome(f), broker.ErrCanceled)
		r.sums()
	})
}

// TestHookOfACanceledRequest: a request that is canceled, and then lost with its connection, has an end for the hooks
// as it has one for the metrics.
func TestHookOfACanceledRequest(t *testing.T) {
	onReady(t, nil, func(t *testing.T, r *harness) {
		f := r.send()
		r.turn()
		f.Cancel()
		r.log = nil
		r.lose()
		ended := slices.ContainsFunc(r.log, func(hook string) bool { return strings.HasPrefix(hook, "failed ") })
		assert(t, ended && r.Stats().Failed == 1, "got hooks %q and %d failures in Stats, want one in each", r.log,
			r.Stats().Failed)
		r.sums()
	})
}

func TestNilRequests(t *testing.T) {
	conn := dial(t, piped(fakebroker.HeartbeatBody))
	mustPanic(t, "the request is nil", func() { _, _ = conn.Send(t.Context(), nil) })
	mustPanic(t, "the request is nil", func() { _, _ = conn.Request(t.Context(), nil) })
	mustPanic(t, "the request is nil", func() { _, _ = conn.SendWait(t.Context(), nil) })
	mustPanic(t, "the request is nil", func() { _, _ = conn.RequestRaw(t.Context(), nil) })
	mustPanic(t, "the request is nil", func() { fakebroker.NewPolledBroker(t, nil).Send(nil, false) })
}

// brokenLink does one thing wrong, and is a sound link otherwise.
type brokenLink struct {
	ports.Link
	ports.Parker
	stage ports.Stage
	read  func(p []byte) (int, error)
	write func(p []byte) (int, error)
	watch func(func())
}

func (l brokenLink) Stage() (ports.Stage, error) {
	if l.stage != 0 {
		return l.stage, nil
	}
	return l.Link.Stage()
}

func (l brokenLink) Read(p []byte) (int, error) {
	if l.read != nil {
		return l.read(p)
	}
	return l.Parker.Read(p)
}

func (l brokenLink) Write(p []byte) (int, error) {
	if l.write != nil {
		return l.write(p)
	}
	return l.Parker.Write(p)
}

func (l brokenLink) Watch(f func()) {
	if l.watch != nil {
		l.watch(f)
		return
	}
	l.Link.(ports.Watcher).Watch(f)
}

type brokenTransport struct {
	ports.Transport
	breaks func(*brokenLink)
}

func (b brokenTransport) Open(ep ports.Endpoint) ports.Link {
	link := b.Transport.Open(ep)
	broken := brokenLink{Link: link}
	broken.Parker, _ = link.(ports.Parker)
	b.breaks(&broken)
	return broken
}

type nilTransport struct{ lookup ports.Lookup }

func (n nilTransport) Resolve(string, uint16) ports.Lookup { return n.lookup }
func (nilTransport) Open(ports.Endpoint) ports.Link        { return nil }

// TestDefectsOfPorts: none ends the process or hangs; the connection goes, and
// the error names the port.
func TestDefectsOfPorts(t *testing.T) {
	sound := piped(fakebroker.HeartbeatBody).Transport
	for name, transport := range map[string]ports.Transport{
		"counts more than it was to write": brokenTransport{sound, func(l *brokenLink) {
			l.write = func(p []byte) (int, error) { return len(p) + 1, nil }
		}},
		"counts more than it could read": brokenTransport{sound, func(l *brokenLink) {
			l.read = func(p []byte) (int, error) { return len(p) + 1, nil }
		}},
		"counts less than nothing": brokenTransport{sound, func(l *brokenLink) {
			l.read = func([]byte) (int, error) { return -1, nil }
		}},
		"a stage that there is not": brokenTransport{sound, func(l *brokenLink) { l.stage = 7 }},
		"a panic in Watch": brokenTransport{neverReached{}, func(l *brokenLink) {
			l.watch = func(func()) { panic("not here") }
		}},
		"no lookup": nilTransport{},
		"no link":   nilTransport{foundLookup{"broker"}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := limited(t, 30*time.Second)
			_, err := broker.Dial(ctx, broker.Config{Transport: transport, SetupTimeout: time.Hour})
			wantError(t, err, broker.ErrPortPanic)
		})
	}
}

// TestNoReconnectReportsWhy: a proxy must be able to tell its own peer.
func TestNoReconnectReportsWhy(t *testing.T) {
	cfg := listening(t, func(conn net.Conn, _ int16, _ int32) []byte { conn.Close(); return nil })
	cfg.NoReconnect = true
	conn := dial(t, cfg)
	_ = heartbeat(t.Context(), conn)
	receive(t, conn.Done())
	last := conn.LastError()
	assert(t, errors.Is(last, broker.ErrConnection) && strings.Contains(last.Error(), "EOF"), "last error: %v", last)
	err := heartbeat(t.Context(), conn)
	assert(t, errors.Is(err, broker.ErrClosed) && strings.Contains(err.Error(), "EOF"), "a request after it: %v", err)

	other := dial(t, piped(fakebroker.HeartbeatBody))
	cause := errors.New("the cluster moved")
	other.Abort(cause)
	wantError(t, heartbeat(t.Context(), other), broker.ErrClosed, cause)
}

// TestNoReconnectTriesEveryAddress before it is final.
func TestNoReconnectTriesEveryAddress(t *testing.T) {
	s := &fakebroker.Scripted{Answer: fakebroker.HeartbeatBody}
	good := s.Piped().Transport.(*netlink.Transport).Dial
	conn := newConn(t, broker.Config{NoReconnect: true, Transport: &netlink.Transport{
		Lookup: func(context.Context, string, uint16) ([]ports.Endpoint, error) {
			return []ports.Endpoint{{Network: "test", Address: "dead"}, {Network: "test", Address: "good"}}, nil
		},
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == "dead" {
				return nil, errors.New("refused")
			}
			return good(ctx, network, address)
		},
	}})
	noError(t, conn.Connect(t.Context()))
}

// TestEndOfAContext: the error matches the context's own, and its cause.
func TestEndOfAContext(t *testing.T) {
	cause := errors.New("the user left")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	conn := dial(t, piped(silent))
	f := mustSend(t, conn, kmsg.NewPtrHeartbeatRequest())
	_, waited := f.Wait(ctx)
	for _, err := range []error{heartbeat(ctx, conn), waited} {
		var e *broker.Error
		assert(t, errors.Is(err, context.Canceled) && errors.Is(err, cause) && errors.Is(err, broker.ErrCanceled) &&
			errors.As(err, &e), "got %v", err)
	}
}

// TestSecretsOfRawBodies: no verb prints them.
func TestSecretsOfRawBodies(t *testing.T) {
	const secret = "canary-4711"
	for _, v := range []any{
		ports.RawRequest{Body: []byte(secret)}, &ports.RawRequest{Body: []byte(secret)},
		ports.RawResponse{Body: []byte(secret)}, &ports.RawResponse{Body: []byte(secret)},
		ports.SASLAuthenticateRequest{Token: []byte(secret)}, &ports.SASLAuthenticateRequest{Token: []byte(secret)},
		ports.SASLAuthenticateResponse{Token: []byte(secret)}, &ports.SASLAuthenticateResponse{Token: []byte(secret)},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%s", "%x", "%d"} {
			got := fmt.Sprintf(verb, v)
			assert(t, !strings.Contains(got, secret) && !strings.Contains(got, fmt.Sprintf("%x", secret)) &&
				!strings.Contains(got, "104 117"), "%s of %T: %s", verb, v, got)
		}
	}
}

// TestLargeAnswerNamesTheLimit: an honest broker whose answer is larger than the
// user allowed.
func TestLargeAnswerNamesTheLimit(t *testing.T) {
	cfg := piped(func(net.Conn, int16, int32) []byte { return make([]byte, 4000) })
	cfg.MaxResponseBytes = 2000
	conn := dial(t, cfg)
	err := heartbeat(t.Context(), conn)
	var f *broker.FrameError
	var e *broker.Error
	assert(t, errors.Is(err, broker.ErrFrameSize) && errors.As(err, &f) && f.Limit == 2000 && errors.As(err, &e) &&
		strings.Contains(e.Hint, "raise MaxResponseBytes"), "got %v", err)
}

func TestZeroMemoryTransport(t *testing.T) {
	var m memory.Transport
	p := newPolled(t, broker.Config{Transport: &m})
	assert(t, p.Connect() == broker.NegotiatingVersions, "state %v", p.State())
	p.Close(nil)
}

// A hook may cancel the request whose failure it is called for: the error then says how much of it was sent.
func TestCanceledWhileItFails(t *testing.T) {
	for name, c := range map[string]struct {
		reads bool
		sent  broker.Sent
	}{"the broker reads no further": {false, broker.SentNothing}, "the broker reads": {true, broker.SentFully}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hosts := (&fakebroker.Hosts{Peer: map[string]func(net.Conn){"a": func(conn net.Conn) {
					fakebroker.Serve(conn, func(r fakebroker.Request) []byte {
						if r.Key == 18 {
							return fakebroker.Table(r.Version)
						}
						if !c.reads {
							<-t.Context().Done()
						}
						return nil
					})
				}}}).At("a")
				var second *broker.Future
				cfg := hosts.Config()
				failed := 0
				cfg.Hooks = &broker.Hooks{RequestFailed: func(broker.RequestInfo, error) {
					if failed++; failed == 2 {
						second.Cancel()
					}
				}}
				conn := dial(t, cfg)
				for range 2 {
					second = fakebroker.MustSend(t, conn, ask())
					second.Done() // which is waited for
					synctest.Wait()
				}
				hosts.Cut()
				synctest.Wait()
				_, err := second.Response()
				var e *broker.Error
				assert(t, errors.As(err, &e) && e.Kind == broker.ErrCanceled && e.Sent == c.sent && e.Version >= 0 &&
					e.RequestBytes > 0, "got %+v, want it canceled and %v, with its version and size", err, c.sent)
			})
		})
	}
}
