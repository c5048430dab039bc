package netlink

import (
	"context"
	"errors"
	"net"
	"reflect"
	"strings"
	"testing"

	"brokerconn/ports"
)

func resolve(t *testing.T, tr *Transport, host string) ([]ports.Endpoint, error) {
	t.Helper()
	l := tr.Resolve(host, 9092)
	defer l.Close()
	for {
		eps, err := l.Result()
		if err != ports.ErrWouldBlock {
			return eps, err
		}
		<-woken(l.(ports.Watcher))
	}
}

func TestLookupWithoutAFunction(t *testing.T) {
	for host, address := range map[string]string{"broker": "broker:9092", "::1": "[::1]:9092",
		"fe80::1%eth0": "[fe80::1%eth0]:9092"} {
		l := (&Transport{Secure: true}).Resolve(host, 9092)
		eps, err := l.Result() // at once
		want := []ports.Endpoint{{Host: host, Network: "tcp", Address: address, Secure: true}}
		if !reflect.DeepEqual(eps, want) || err != nil {
			t.Errorf("Result: %+v, %v; want %+v", eps, err, want)
		}
		<-woken(l.(ports.Watcher))
		l.Close()
	}
}

// TestLookupAtOnce: of the hosts that need no other goroutine, and of no other.
func TestLookupAtOnce(t *testing.T) {
	tr := &Transport{AtOnce: func(host string) bool { return host != "broker" }, Secure: true}
	for _, c := range []struct {
		host   string
		answer error
		want   string // in the error
	}{{"192.0.2.1", nil, ""}, {"192.0.2.2", errors.New("nowhere"), "nowhere"}, {"broker", nil, "would block"}} {
		asked := make(chan struct{})
		tr.Lookup = func(ctx context.Context, host string, port uint16) ([]ports.Endpoint, error) {
			if host == "broker" {
				<-ctx.Done()
			}
			close(asked)
			return []ports.Endpoint{{Network: "tcp", Address: host}}, c.answer
		}
		l := tr.Resolve(c.host, 9092)
		eps, err := l.Result()
		if c.want == "" {
			want := []ports.Endpoint{{Host: c.host, Network: "tcp", Address: c.host, Secure: true}}
			if !reflect.DeepEqual(eps, want) || err != nil {
				t.Errorf("%s: %+v, %v; want %+v", c.host, eps, err, want)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.host, err, c.want)
		}
		l.Close()
		<-asked
	}
}

func TestLookupFunction(t *testing.T) {
	nowhere := errors.New("nowhere")
	for _, c := range []struct {
		name    string
		f       LookupFunc
		want    []ports.Endpoint
		wantErr string
	}{
		{
			"fills in host and security",
			func(_ context.Context, host string, port uint16) ([]ports.Endpoint, error) {
				if host != "broker" || port != 9092 {
					t.Errorf("asked for %s %d", host, port)
				}
				return []ports.Endpoint{{Network: "a", Address: "1"}, {Host: "other", Network: "b", Address: "2"}}, nil
			},
			[]ports.Endpoint{
				{Host: "broker", Network: "a", Address: "1", Secure: true},
				{Host: "other", Network: "b", Address: "2", Secure: true},
			}, "",
		},
		{"fails", func(context.Context, string, uint16) ([]ports.Endpoint, error) { return nil, nowhere }, nil,
			"nowhere"},
		{"nothing", func(context.Context, string, uint16) ([]ports.Endpoint, error) { return nil, nil }, nil,
			"neither an address nor an error"},
		{"panics", func(context.Context, string, uint16) ([]ports.Endpoint, error) { panic("ouch") }, nil,
			"the lookup function panicked: ouch"},
	} {
		t.Run(c.name, func(t *testing.T) {
			eps, err := resolve(t, &Transport{Lookup: c.f, Secure: true}, "broker")
			if !reflect.DeepEqual(eps, c.want) {
				t.Errorf("Result: %+v, want %+v", eps, c.want)
			}
			if (err == nil) != (c.wantErr == "") || err != nil && !strings.Contains(err.Error(), c.wantErr) {
				t.Errorf("Result: %v, want %q", err, c.wantErr)
			}
		})
	}
}

func TestLookupCloseCancels(t *testing.T) {
	ended := make(chan struct{})
	tr := &Transport{Lookup: func(ctx context.Context, _ string, _ uint16) ([]ports.Endpoint, error) {
		<-ctx.Done()
		close(ended)
		return []ports.Endpoint{{Address: "too late"}}, nil
	}}
	l := tr.Resolve("broker", 9092)
	c := woken(l.(ports.Watcher))
	l.Close()
	<-ended
	<-c
	if eps, err := l.Result(); len(eps) != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("Result after Close: %v, %v; want net.ErrClosed", eps, err)
	}
}
