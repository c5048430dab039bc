package broker_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"reflect"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/metrics/recorder"
	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// A request that does not wait for the backoff fails with the failure that it is for, at once,
// and one that waits for the attempt fails with it; others wait.
func TestFailFast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int32
		refused := errors.New("refused")
		conn := newConn(t, broker.Config{
			ReconnectBackoff: time.Minute, ReconnectBackoffMax: time.Minute, RequestTimeout: time.Hour,
			Transport: &netlink.Transport{Dial: func(context.Context, string, string) (net.Conn, error) {
				dials.Add(1)
				time.Sleep(time.Second)
				return nil, refused
			}},
		})
		patient := make(chan error, 1)
		go func() { patient <- heartbeat(t.Context(), conn) }()
		synctest.Wait()
		for _, wait := range []time.Duration{time.Second, 0} { // within the attempt, and within the backoff
			began := time.Now()
			err := heartbeat(broker.WithFailFast(t.Context()), conn)
			wantError(t, err, broker.ErrNotConnected, broker.ErrConnection)
			var e *broker.Error
			took := time.Since(began)
			assert(t, errors.As(err, &e) && e.API == "Heartbeat" && e.Sent == broker.SentNothing && e.Cause != nil,
				"got %v, want the failure of the attempt", err)
			assert(t, broker.SafeToRetry(err) && took == wait, "got %v after %v, want it after %v", err, took, wait)
		}
		wantError(t, conn.Connect(broker.WithFailFast(t.Context())), broker.ErrNotConnected)
		equal(t, "dials", dials.Load(), 1)
		equal(t, "waiting", conn.Stats().Waiting, 1)
		equal(t, "refused", conn.Stats().Refused, int64(2))
		conn.Close()
		wantError(t, <-patient, broker.ErrClosed)
	})
}

// The timeout and the speed of failure travel in one context, whichever is set first.
func TestFailFastWithTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn := dialOne(t, silent)
		for _, ctx := range []context.Context{
			broker.WithFailFast(broker.WithRequestTimeout(t.Context(), time.Second)),
			broker.WithRequestTimeout(broker.WithFailFast(t.Context()), time.Second),
		} {
			began := time.Now()
			if err := conn.Connect(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantError(t, heartbeat(ctx, conn), broker.ErrRequestTimeout)
			assert(t, time.Since(began) >= time.Second, "got the timeout after %v", time.Since(began))
		}
	})
}

func TestPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var code, version atomic.Int32
		cfg := broker.Config{Transport: &netlink.Transport{
			Dial: func(context.Context, string, string) (net.Conn, error) {
				ours, theirs := net.Pipe()
				go fakebroker.Serve(theirs, func(r fakebroker.Request) []byte {
					version.Store(int32(r.Version))
					time.Sleep(time.Second)
					body := fakebroker.Table(r.Version)
					binary.BigEndian.PutUint16(body, uint16(code.Load()))
					return body
				})
				return ours, nil
			},
		}}
		conn := newConn(t, cfg)
		took, err := broker.Ping(t.Context(), conn)
		assert(t, err == nil && took == time.Second, "got %v, %v, want the second round trip alone", took, err)
		v, err := conn.APIVersions(t.Context())
		noError(t, err)
		equal(t, "version", int16(version.Load()), v.RequestVersion())
		code.Store(42)
		_, err = broker.Ping(t.Context(), conn)
		var e *broker.BrokerError
		assert(t, errors.Is(err, broker.ErrProtocol) && errors.As(err, &e) && e.Code == 42,
			"got %v, want error 42", err)
	})
}

// The table of API versions is known before the login, which may take its time.
func TestPingDoesNotCountTheLogin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := (&fakebroker.Hosts{Peer: map[string]func(net.Conn){
			"10.0.0.1:9092": fakebroker.Keeper(func([]byte) *kmsg.SASLAuthenticateResponse {
				time.Sleep(3 * time.Second)
				return kmsg.NewPtrSASLAuthenticateResponse()
			}),
		}}).At("10.0.0.1:9092").Config()
		cfg.Authenticators = []ports.Authenticator{&fakebroker.Login{}}
		conn := newConn(t, cfg)
		go conn.Connect(t.Context())
		synctest.Wait()
		equal(t, "state", conn.State(), broker.Authenticating)
		took, err := broker.Ping(t.Context(), conn)
		assert(t, err == nil && took == 0, "got %v, %v, want the round trip alone", took, err)
	})
}

// A broker before 0.10 has no ApiVersions: it is asked for its metadata.
func TestPingOfOldRelease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var key atomic.Int32
		cfg := piped(func(_ net.Conn, k int16, _ int32) []byte { key.Store(int32(k)); return make([]byte, 8) })
		cfg.APIVersion = broker.Release{Minor: 9}
		_, err := broker.Ping(t.Context(), newConn(t, cfg))
		assert(t, err == nil && key.Load() == 3, "got key %d, %v, want Metadata", key.Load(), err)
	})
}

// Joined hooks call each other's in order, and none is kept from its call by the panic of
// another one. The type is read, so that a hook that is new is tried too.
func TestJoinedHooks(t *testing.T) {
	var calls []string
	hooks := func(name string, panics bool) *broker.Hooks {
		h := &broker.Hooks{}
		v := reflect.ValueOf(h).Elem()
		for i := range v.NumField() {
			field := v.Type().Field(i)
			v.Field(i).Set(reflect.MakeFunc(field.Type, func([]reflect.Value) []reflect.Value {
				calls = append(calls, name+field.Name)
				if panics && field.Name != "Panicked" {
					panic("a hook")
				}
				return nil
			}))
		}
		return h
	}
	j := broker.JoinHooks(nil, hooks("a", true), nil, hooks("b", false))
	v := reflect.ValueOf(j).Elem()
	for i := range v.NumField() {
		calls = nil
		name := v.Type().Field(i).Name
		var args []reflect.Value
		for k := range v.Field(i).Type().NumIn() {
			args = append(args, reflect.Zero(v.Field(i).Type().In(k)))
		}
		v.Field(i).Call(args)
		want := []string{"a" + name, "aPanicked", "bPanicked", "b" + name}
		if name == "Panicked" {
			want = []string{"aPanicked", "bPanicked"}
		}
		if !reflect.DeepEqual(calls, want) {
			t.Errorf("%s: got calls %q, want %q", name, calls, want)
		}
	}
	if none := broker.JoinHooks(nil, &broker.Hooks{}); !reflect.ValueOf(*none).IsZero() {
		t.Errorf("got %+v, want no hooks: a hook that is nil costs nothing", none)
	}
}

// A panic in Panicked itself ends there, and the next Panicked is called.
func TestJoinedPanickedPanics(t *testing.T) {
	var got []any
	note := func(v any) { got = append(got, v) }
	bad := &broker.Hooks{Panicked: func(v any) { note(v); panic("of Panicked") }}
	j := broker.JoinHooks(bad, &broker.Hooks{Warning: func(string) { panic("of Warning") }, Panicked: note},
		&broker.Hooks{Warning: func(string) {}})
	j.Warning("")
	if want := []any{"of Warning", "of Warning"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got calls of Panicked with %q, want %q", got, want)
	}
}

func TestJoinedMetrics(t *testing.T) {
	a, b := recorder.New(), recorder.New()
	sink := reflect.ValueOf(broker.JoinMetrics(nil, a, b))
	methods := reflect.TypeFor[ports.MetricsSink]()
	for i := range methods.NumMethod() {
		m := sink.MethodByName(methods.Method(i).Name)
		before := a.Snapshot()
		var args []reflect.Value
		for k := range m.Type().NumIn() {
			arg := reflect.New(m.Type().In(k)).Elem()
			if arg.Kind() == reflect.Int {
				arg.SetInt(1)
			}
			args = append(args, arg)
		}
		m.Call(args)
		if a.Snapshot() == before || a.Snapshot() != b.Snapshot() {
			t.Errorf("%s: got %+v and %+v, want the same event in both", methods.Method(i).Name, a.Snapshot(),
				b.Snapshot())
		}
	}
}

// A server that answers a Produce with acks 0 (sarama's MockBroker, Tansu) does not cost the
// requests behind it their connection.
func TestAnsweredProduceWithoutAcks(t *testing.T) {
	for name, link := range links {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := piped(fakebroker.HeartbeatBody)
				link(&cfg)
				conn := dial(t, cfg)
				for range 3 {
					_, err := conn.Request(t.Context(), kmsg.NewPtrProduceRequest())
					noError(t, err)
					noError(t, heartbeat(t.Context(), conn))
				}
				s := conn.Stats()
				assert(t, s.Dropped == 3 && s.Attempts == 1 && s.Failed == 0,
					"got %+v, want 3 dropped, one connection", s)
			})
		})
	}
}
