package broker_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/netlink"
	"brokerconn/adapters/tcp"
	brokertls "brokerconn/adapters/tls"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Where goroutines do the work of others, a prototype of this package once gave a response to another caller, and only
// the race detector noticed. These tests are of the places where that happens; they run with it in make test.

// readRequest returns the next request of a client: its correlation id and its body.
func readRequest(in *bufio.Reader) (id int32, body []byte, err error) {
	var size [4]byte
	if _, err := io.ReadFull(in, size[:]); err != nil {
		return 0, nil, err
	}
	frame := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(in, frame); err != nil {
		return 0, nil, err
	}
	client := max(int(int16(binary.BigEndian.Uint16(frame[8:]))), 0)
	return int32(binary.BigEndian.Uint32(frame[4:])), frame[10+client:], nil
}

// echoTogether answers each request with its own body, with one write for those that came together.
func echoTogether(conn net.Conn) {
	defer conn.Close()
	in, out := bufio.NewReaderSize(conn, 64<<10), bufio.NewWriterSize(conn, 64<<10)
	for {
		id, body, err := readRequest(in)
		if err != nil {
			return
		}
		_, _ = out.Write(fakebroker.ResponseFrame(id, body)) // Flush has its error
		if in.Buffered() == 0 && out.Flush() != nil {
			return
		}
	}
}

// oneAtATime is a link that fails the test where two of its Reads, or two of its Writes, run at the same time.
type oneAtATime struct {
	parking
	reads, writes *atomic.Int32
	t             *testing.T
}

func (l oneAtATime) Read(p []byte) (int, error) {
	l.enter(l.reads, "Read")
	defer l.reads.Add(-1)
	return l.parking.Read(p)
}

func (l oneAtATime) Write(p []byte) (int, error) {
	l.enter(l.writes, "Write")
	defer l.writes.Add(-1)
	return l.parking.Write(p)
}

func (l oneAtATime) enter(calls *atomic.Int32, what string) {
	if n := calls.Add(1); n > 1 {
		l.t.Errorf("got %d calls of %s at the same time, want one", n, what)
	}
}

// watching is a transport whose links are oneAtATime.
func watching(t *testing.T, transport ports.Transport) ports.Transport {
	return wrapped{transport, func(l parking) ports.Link {
		return oneAtATime{l, new(atomic.Int32), new(atomic.Int32), t}
	}}
}

// echoing is the configuration of a connection to a broker over sockets that echoes bodies.
func echoing(t *testing.T, secure bool) broker.Config {
	transport, accept := tcpTransport(), echoTogether
	if secure {
		server := httptest.NewTLSServer(nil) // for its certificate
		defer server.Close()
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		secured, err := brokertls.New(tcp.New(tcp.Options{}), brokertls.Options{Config: &tls.Config{RootCAs: roots}})
		noError(t, err)
		certificates := server.TLS.Certificates
		transport, accept = secured, func(conn net.Conn) {
			echoTogether(tls.Server(conn, &tls.Config{Certificates: certificates}))
		}
	}
	cfg := configFor(t, fakebroker.Listen(t, accept))
	cfg.APIVersion, cfg.MaxInFlight, cfg.Transport = broker.Release{Major: 2}, 64, watching(t, transport)
	return cfg
}

func echoRequest(text []byte) *ports.RawRequest {
	return &ports.RawRequest{APIKey: 12, APIVersion: 1, Body: text}
}

// Callers and windows on one connection, some of whose requests are canceled at any time, each get the response to
// their own request, and nothing is left in flight.
func TestEachGetsItsOwnResponse(t *testing.T) {
	for name, secure := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) { eachGetsItsOwn(t, dial(t, echoing(t, secure))) })
	}
}

func eachGetsItsOwn(t *testing.T, conn *broker.Conn) {
	const callers, windows, each = 32, 4, 200
	var canceled, answered atomic.Int64
	check := func(body []byte, err error, want []byte) {
		switch {
		case errors.Is(err, broker.ErrCanceled):
			canceled.Add(1)
		case err != nil:
			t.Errorf("got %v, want a response", err)
		case !bytes.Equal(body, want):
			t.Errorf("got the response %q, want %q", body, want)
		default:
			answered.Add(1)
		}
	}
	var group sync.WaitGroup
	for caller := range callers {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(caller), 1))
			for i := range each {
				want := binary.BigEndian.AppendUint64(nil, uint64(caller*each+i))
				want = append(want, make([]byte, random.IntN(100))...)
				ctx, cancel := context.WithCancel(t.Context())
				if random.IntN(4) == 0 {
					time.AfterFunc(time.Duration(random.IntN(200))*time.Microsecond, cancel)
				}
				body, err := conn.RequestRaw(ctx, echoRequest(want))
				check(body, err, want)
				cancel()
			}
		})
	}
	for window := range windows {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(window), 2))
			for i := range each {
				var futures [4]*broker.Future
				for k := range futures {
					text := binary.BigEndian.AppendUint64(nil, uint64((window*each+i)*len(futures)+k)<<32)
					f, err := conn.SendWait(t.Context(), echoRequest(text))
					noError(t, err)
					if futures[k] = f; random.IntN(4) == 0 {
						go f.Cancel()
					}
				}
				for k, f := range futures {
					resp, err := f.Wait(t.Context())
					var body []byte
					if err == nil {
						body = resp.(*ports.RawResponse).Body
					}
					check(body, err, binary.BigEndian.AppendUint64(nil, uint64((window*each+i)*len(futures)+k)<<32))
				}
			}
		})
	}
	group.Wait()
	t.Logf("%d answered, %d canceled", answered.Load(), canceled.Load())
	assert(t, answered.Load() > 0 && canceled.Load() > 0, "got %d answered and %d canceled, want some of each",
		answered.Load(), canceled.Load())
	noError(t, func() error { _, err := conn.RequestRaw(t.Context(), echoRequest(nil)); return err }())
	stats := conn.Stats()
	equal(t, "requests in flight", stats.InFlight, 0)
	equal(t, "attempts", stats.Attempts, 1)
}

// A caller that writes for others, or reads for itself while others wait, is canceled: the others get their responses.
func TestWorkOfACanceledCallerGoesOn(t *testing.T) {
	for name, blocks := range map[string]bool{"while it writes": true, "while it reads": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gate := make(chan struct{})
				peer := func(conn net.Conn) {
					if blocks {
						<-gate // net.Pipe: a write lasts until it is read
					}
					in := bufio.NewReader(conn)
					for {
						id, _, err := readRequest(in)
						if err != nil {
							return
						}
						<-gate
						if _, err := conn.Write(fakebroker.ResponseFrame(id, nil)); err != nil {
							return
						}
					}
				}
				pipe := &netlink.Transport{Dial: func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					go peer(theirs)
					return ours, nil
				}}
				conn := dial(t, broker.Config{APIVersion: broker.Release{Major: 2}, Transport: watching(t, pipe)})
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				first, second := make(chan error, 1), make(chan error, 1)
				go func() { _, err := conn.RequestRaw(ctx, echoRequest(nil)); first <- err }()
				synctest.Wait()
				go func() { _, err := conn.RequestRaw(t.Context(), echoRequest(nil)); second <- err }()
				synctest.Wait()
				began := time.Now()
				cancel()
				err := <-first
				assert(t, errors.Is(err, broker.ErrCanceled) && time.Since(began) <= 5*time.Millisecond,
					"got %v after %v, want ErrCanceled within 5 ms", err, time.Since(began))
				close(gate)
				noError(t, <-second)
				equal(t, "attempts", conn.Stats().Attempts, 1)
			})
		})
	}
}
