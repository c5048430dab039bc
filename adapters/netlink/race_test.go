package netlink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/ports"
)

// TestRace follows RFC 8305, section 5: the next dial begins after 250 ms, or at once when one
// has failed; the first that is reached is used, and the others are given up and closed.
func TestRace(t *testing.T) {
	const slow = 400 * time.Millisecond
	refused := errors.New("refused")
	for _, c := range []struct {
		name    string
		peers   map[string]func(context.Context) error // by address; nil: reached at once
		eps     []string
		dials   string // address@time
		tries   string
		after   time.Duration
		failure string
	}{
		{"the first is reached", nil, []string{"a", "b"}, "a@0s", "a a:ok", 0, ""},
		{"one address, refused", map[string]func(context.Context) error{"a": fails(refused)}, []string{"a"}, "a@0s",
			"a a:refused", 0, "refused"},
		{"the first is silent", map[string]func(context.Context) error{"a": ends}, []string{"a", "b", "c"},
			"a@0s b@250ms", "a b a:overtaken b:ok", 250 * time.Millisecond, ""},
		{"the first is refused", map[string]func(context.Context) error{"a": fails(refused)}, []string{"a", "b"},
			"a@0s b@0s", "a a:refused b b:ok", 0, ""},
		{"the first is slow and wins", map[string]func(context.Context) error{"a": takes(slow), "b": ends},
			[]string{"a", "b", "c"}, "a@0s b@250ms", "a b b:overtaken a:ok", slow, ""},
		{"the first wins as the second is refused", map[string]func(context.Context) error{"a": takes(slow),
			"b": fails(refused), "c": fails(refused)}, []string{"a", "b", "c"}, "a@0s b@250ms c@250ms",
			"a b b:refused c c:refused a:ok", slow, ""},
		{"all are refused", map[string]func(context.Context) error{"a": fails(refused), "b": fails(io.EOF)},
			[]string{"a", "b"}, "a@0s b@0s", "a a:refused b b:EOF", 0, "refused (a); EOF (b)"},
		{"all in the same way", map[string]func(context.Context) error{
			"192.0.2.1:1": fails(errors.New("dial tcp 192.0.2.1:1: connection refused")),
			"192.0.2.2:1": fails(errors.New("dial tcp 192.0.2.2:1: connection refused"))},
			[]string{"192.0.2.1:1", "192.0.2.2:1"}, "192.0.2.1:1@0s 192.0.2.2:1@0s",
			"192.0.2.1:1 192.0.2.1:1:dial tcp 192.0.2.1:1: connection refused 192.0.2.2:1 " +
				"192.0.2.2:1:dial tcp 192.0.2.2:1: connection refused", 0,
			"dial tcp: connection refused (192.0.2.1:1, 192.0.2.2:1)"},
		{"a dial panics", map[string]func(context.Context) error{"a": func(context.Context) error { panic("boom") }},
			[]string{"a", "b"}, "a@0s b@0s", "a a:netlink: the dial function panicked: boom b b:ok", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var mu sync.Mutex
				var dials []string
				transport := &Transport{Dial: func(ctx context.Context, _, address string) (net.Conn, error) {
					if ep, _ := EndpointFrom(ctx); ep.Address != address {
						t.Errorf("got the endpoint %v, want that of %s", ep, address)
					}
					mu.Lock()
					dials = append(dials, address+"@"+time.Since(began).String())
					mu.Unlock()
					if peer := c.peers[address]; peer != nil {
						if err := peer(ctx); err != nil {
							return nil, err
						}
					}
					ours, theirs := net.Pipe()
					go func() { _, _ = io.Copy(io.Discard, theirs) }()
					return ours, nil
				}}
				link := transport.Race(endpointsOf(c.eps...), 250*time.Millisecond)
				defer link.Close()
				var tries []string
				for {
					_, err := link.Stage()
					for _, try := range link.Tries() {
						tries = append(tries, textOf(try))
					}
					if err == ports.ErrWouldBlock {
						woken := make(chan struct{})
						link.(ports.Watcher).Watch(func() { close(woken) })
						<-woken
						continue
					}
					if took := time.Since(began); took != c.after {
						t.Errorf("got an end after %v, want %v", took, c.after)
					}
					if (err != nil) != (c.failure != "") || err != nil && err.Error() != c.failure {
						t.Errorf("got %v, want %q", err, c.failure)
					}
					break
				}
				mu.Lock()
				defer mu.Unlock()
				if got := strings.Join(dials, " "); got != c.dials {
					t.Errorf("got dials %s, want %s", got, c.dials)
				}
				if got := strings.Join(tries, " "); got != c.tries {
					t.Errorf("got tries %s, want %s", got, c.tries)
				}
			})
		})
	}
}

func fails(err error) func(context.Context) error {
	return func(context.Context) error { return err }
}

func takes(d time.Duration) func(context.Context) error {
	return func(context.Context) error { time.Sleep(d); return nil }
}

func ends(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func endpointsOf(addresses ...string) (eps []ports.Endpoint) {
	for _, a := range addresses {
		eps = append(eps, ports.Endpoint{Host: "broker", Network: "tcp", Address: a})
	}
	return eps
}

func textOf(t ports.Try) string {
	switch {
	case !t.Done:
		return t.Endpoint.Address
	case t.Err == nil:
		return t.Endpoint.Address + ":ok"
	case t.Err == ports.ErrLostRace:
		return t.Endpoint.Address + ":overtaken"
	}
	return fmt.Sprintf("%s:%v", t.Endpoint.Address, t.Err)
}

// TestRaceGivesUpTheOthers: when an address was reached, no dial goes on beside it.
func TestRaceGivesUpTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ended error
		transport := &Transport{Dial: func(ctx context.Context, _, address string) (net.Conn, error) {
			if address == "a" {
				ended = ends(ctx)
				return nil, ended
			}
			ours, theirs := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, theirs) }()
			return ours, nil
		}}
		link := transport.Race(endpointsOf("a", "b"), time.Second)
		defer link.Close()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if stage, err := link.Stage(); stage != ports.StageEstablished || ended != context.Canceled {
			t.Errorf("got %v, %v, and the other dial ended with %v; want it established, and %v", stage, err, ended,
				context.Canceled)
		}
	})
}

// TestLateConnectionIsClosed: a dial function that ignores its context reaches its address
// after another one has won, or after the link was closed.
func TestLateConnectionIsClosed(t *testing.T) {
	for name, closed := range map[string]bool{"another has won": false, "the link is closed": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var ends []net.Conn
				transport := &Transport{Dial: func(_ context.Context, _, address string) (net.Conn, error) {
					if address == "a" || closed {
						time.Sleep(time.Minute)
					}
					ours, theirs := net.Pipe()
					mu.Lock()
					defer mu.Unlock()
					ends = append(ends, theirs)
					return ours, nil
				}}
				link := transport.Race(endpointsOf("a", "b"), time.Second)
				time.Sleep(2 * time.Second)
				if closed {
					_ = link.Close()
				} else {
					defer link.Close()
				}
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				mu.Lock()
				defer mu.Unlock()
				late := ends[len(ends)-1]
				if len(ends) != 2 {
					t.Fatalf("got %d connections, want 2", len(ends))
				}
				if _, err := late.Read(make([]byte, 1)); err != io.EOF {
					t.Errorf("got %v of the late connection, want it closed", err)
				}
			})
		})
	}
}

// TestWaitingNamesSilentAddresses: what the link of a race waits for, while it does.
func TestWaitingNamesSilentAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := errors.New("refused")
		transport := &Transport{Dial: func(ctx context.Context, _, address string) (net.Conn, error) {
			switch address {
			case "a":
				return nil, refused
			case "b":
				SetWaiting(ctx, errors.New("the proxy is silent"))
			}
			return nil, ends(ctx)
		}}
		link := transport.Race(endpointsOf("a", "b", "c", "d"), time.Second)
		time.Sleep(time.Minute)
		err := link.(ports.Waiter).Waiting()
		const want = "refused (a); the proxy is silent (b); no answer (c, d)"
		if err == nil || err.Error() != want || !errors.Is(err, refused) {
			t.Errorf("got %v, want %q", err, want)
		}
		_ = link.Close()

		single := transport.Open(endpointsOf("c")[0])
		synctest.Wait()
		if err := single.(ports.Waiter).Waiting(); err != nil {
			t.Errorf("got %v of one dial that reports nothing, want nil", err)
		}
		_ = single.Close()
	})
}

// asked is a net.Conn that does a handshake, and knows what it waits for.
type asked struct{ shaker }

func (asked) Waiting() error { return errors.New("the handshake") }

// TestWaitingInTheHandshake: the net.Conn is asked during the handshake, and neither before nor behind it.
func TestWaitingInTheHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, shake := make(chan bool), make(chan bool)
		ours, theirs := net.Pipe()
		defer theirs.Close()
		transport := &Transport{Dial: func(context.Context, string, string) (net.Conn, error) {
			<-dial
			return asked{shaker{ours, func(context.Context) error { <-shake; return nil }}}, nil
		}}
		link := transport.Open(endpointsOf("a")[0])
		for _, c := range []struct {
			stage ports.Stage
			want  string
			next  chan bool
		}{
			{ports.StageDialing, "<nil>", dial},
			{ports.StageSecuring, "the handshake", shake},
			{ports.StageEstablished, "<nil>", nil},
		} {
			synctest.Wait()
			stage, _ := link.Stage()
			if got := fmt.Sprint(link.(ports.Waiter).Waiting()); stage != c.stage || got != c.want {
				t.Errorf("got %v, %v; want %v, %v", stage, got, c.stage, c.want)
			}
			if c.next != nil {
				close(c.next)
			}
		}
		_ = link.Close()
		synctest.Wait()
	})
}

// TestHintNamesProxies: proxies that a link goes through are named once it is established, since the broker itself is
// behind them.
func TestHintNamesProxies(t *testing.T) {
	for proxies, want := range map[string]string{
		"":    "",
		"p":   "the connection goes through p, and that proxy, or what is behind it, closed it",
		"p q": "the connection goes through p and q, and that proxy, or what is behind it, closed it",
	} {
		ours, theirs := net.Pipe()
		link, _, err := open(t, func(ctx context.Context, _, _ string) (net.Conn, error) {
			for _, proxy := range strings.Fields(proxies) {
				SetThrough(ctx, proxy)
			}
			return ours, nil
		})
		if got := link.Hint(); got != want || err != nil {
			t.Errorf("%q: got %q, %v; want %q", proxies, got, err, want)
		}
		_ = theirs.Close()
	}
}

func TestRaceNeedsAddresses(t *testing.T) {
	for name, call := range map[string]func(){
		"no endpoint": func() { (&Transport{Dial: new(net.Dialer).DialContext}).Race(nil, time.Second) },
		"no Dial":     func() { new(Transport).Race(endpointsOf("a"), time.Second) },
	} {
		func() {
			defer func() {
				if r, _ := recover().(string); !strings.HasPrefix(r, "netlink: ") {
					t.Errorf("%s: got panic %q, want one of netlink", name, r)
				}
			}()
			call()
		}()
	}
}

// TestRaceIsFinalIfAllAre: an address that is refused for good says nothing about the others.
func TestRaceIsFinalIfAllAre(t *testing.T) {
	final, passing := fmt.Errorf("not allowed: %w", ports.ErrFinal), &net.OpError{Op: "dial", Err: io.EOF}
	for _, c := range []struct {
		b    error
		want bool
	}{{passing, false}, {final, true}} {
		transport := &Transport{Dial: func(_ context.Context, _, address string) (net.Conn, error) {
			if address == "a" {
				return nil, final
			}
			return nil, c.b
		}}
		link := transport.Race(endpointsOf("a", "b"), time.Second)
		woken := make(chan struct{})
		_, err := link.Stage()
		for errors.Is(err, ports.ErrWouldBlock) {
			link.(ports.Watcher).Watch(func() { woken <- struct{}{} })
			<-woken
			_, err = link.Stage()
		}
		var op *net.OpError
		if errors.Is(err, ports.ErrFinal) != c.want || !errors.Is(err, final) || errors.As(err, &op) == c.want {
			t.Errorf("%v: got an ErrFinal %v, want %v, and each error", err, errors.Is(err, ports.ErrFinal), c.want)
		}
		_ = link.Close()
	}
}
