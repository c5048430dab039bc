package netlink

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"brokerconn/ports"
)

// wake returns a Watch that closes its channel.
func woken(w ports.Watcher) <-chan struct{} {
	c := make(chan struct{})
	w.Watch(func() { close(c) })
	return c
}

// open waits until the link that dial yields is established or has failed.
func open(t *testing.T, dial DialFunc) (*link, ports.Stage, error) {
	t.Helper()
	tr := &Transport{Dial: dial}
	l := tr.Open(ports.Endpoint{Host: "broker", Network: "tcp", Address: "broker:9092"}).(*link)
	t.Cleanup(func() { _ = l.Close() })
	for {
		s, err := l.Stage()
		if err != ports.ErrWouldBlock {
			return l, s, err
		}
		<-woken(l)
	}
}

func over(t *testing.T, conn net.Conn) *link {
	t.Helper()
	l, s, err := open(t, func(context.Context, string, string) (net.Conn, error) { return conn, nil })
	if s != ports.StageEstablished || err != nil {
		t.Fatalf("Stage: %v, %v", s, err)
	}
	return l
}

// wantEnd checks that the link has closed the connection.
func wantEnd(t *testing.T, there net.Conn) {
	t.Helper()
	if _, err := there.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the other side: %v; want io.EOF", err)
	}
}

func TestDialGetsTheEndpoint(t *testing.T) {
	_, _, err := open(t, func(ctx context.Context, network, address string) (net.Conn, error) {
		ep, ok := EndpointFrom(ctx)
		if want := (ports.Endpoint{Host: "broker", Network: "tcp", Address: "broker:9092"}); ep != want || !ok {
			t.Errorf("EndpointFrom: %+v, %v; want %+v", ep, ok, want)
		}
		if network != "tcp" || address != "broker:9092" {
			t.Errorf("dial %s %s", network, address)
		}
		return nil, io.ErrUnexpectedEOF
	})
	if err != io.ErrUnexpectedEOF {
		t.Errorf("Stage: %v; want the dial's error as it is", err)
	}
	proxy := ports.Endpoint{Host: "proxy", Network: "tcp", Address: "proxy:1080"}
	if ep, ok := EndpointFrom(WithEndpoint(context.Background(), proxy)); ep != proxy || !ok {
		t.Errorf("EndpointFrom: %+v, %v; want what WithEndpoint put there", ep, ok)
	}
	if _, ok := EndpointFrom(context.Background()); ok {
		t.Error("EndpointFrom found an endpoint in an empty context")
	}
}

func TestDialFailures(t *testing.T) {
	for _, c := range []struct {
		name string
		dial DialFunc
		want string
	}{
		{"panic", func(context.Context, string, string) (net.Conn, error) { panic("ouch") },
			"the dial function panicked: ouch"},
		{"nothing", func(context.Context, string, string) (net.Conn, error) { return nil, nil },
			"neither a connection nor an error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, s, err := open(t, c.dial)
			if s != ports.StageDialing || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Stage: %v, %v; want StageDialing and %q", s, err, c.want)
			}
		})
	}
}

func TestOpenWithoutDialPanics(t *testing.T) {
	defer func() {
		if r := recover(); r == nil {
			t.Error("no panic")
		}
	}()
	new(Transport).Open(ports.Endpoint{})
}

// A dial function that ignores its context returns after Close.
func TestConnAfterCloseIsClosed(t *testing.T) {
	here, there := net.Pipe()
	release := make(chan struct{})
	cancelled := make(chan struct{})
	tr := &Transport{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		close(cancelled)
		<-release
		return here, nil
	}}
	l := tr.Open(ports.Endpoint{})
	_ = l.Close()
	<-cancelled
	close(release)
	wantEnd(t, there)
}

// shaker is a net.Conn with a handshake that the test plays.
type shaker struct {
	net.Conn
	shake func(context.Context) error
}

func (s shaker) HandshakeContext(ctx context.Context) error { return s.shake(ctx) }

func TestHandshake(t *testing.T) {
	refused := errors.New("bad certificate")
	for _, c := range []struct {
		name  string
		shake func(context.Context) error
		stage ports.Stage
		want  string
	}{
		{"succeeds", func(context.Context) error { return nil }, ports.StageEstablished, ""},
		{"fails", func(context.Context) error { return refused }, ports.StageSecuring, "bad certificate"},
		{"panics", func(context.Context) error { panic("ouch") }, ports.StageSecuring, "the handshake panicked: ouch"},
	} {
		t.Run(c.name, func(t *testing.T) {
			here, there := net.Pipe()
			l, s, err := open(t, func(context.Context, string, string) (net.Conn, error) {
				return shaker{here, c.shake}, nil
			})
			if s != c.stage || (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("Stage: %v, %v; want %v, %q", s, err, c.stage, c.want)
			}
			if c.want == "" {
				_ = l.Close()
			}
			wantEnd(t, there)
		})
	}
}

func TestCloseAbortsTheHandshake(t *testing.T) {
	here, there := net.Pipe()
	shaking, ended := make(chan struct{}), make(chan struct{})
	tr := &Transport{Dial: func(context.Context, string, string) (net.Conn, error) {
		return shaker{here, func(ctx context.Context) error {
			close(shaking)
			<-ctx.Done()
			close(ended)
			return ctx.Err()
		}}, nil
	}}
	l := tr.Open(ports.Endpoint{})
	<-shaking
	want := func(after string, want error) {
		t.Helper()
		if s, err := l.Stage(); s != ports.StageSecuring || !errors.Is(err, want) {
			t.Errorf("Stage after %s: %v, %v; want StageSecuring, %v", after, s, err, want)
		}
	}
	want("Open", ports.ErrWouldBlock)
	l.(ports.Parker).Interrupt() // must not reach the handshake: it would stay failed
	want("Interrupt", ports.ErrWouldBlock)
	_ = l.Close()
	<-ended
	wantEnd(t, there)
	want("Close", net.ErrClosed)
}

// scripted is a net.Conn whose Read and Write answer from a list, then park.
type scripted struct {
	net.Conn // of a net.Pipe without a peer
	reads    []outcome
	writes   []outcome
}

type outcome struct {
	n   int
	err error
}

func (s *scripted) Read(p []byte) (int, error)  { return play(&s.reads, p, s.Conn.Read) }
func (s *scripted) Write(p []byte) (int, error) { return play(&s.writes, p, s.Conn.Write) }

func play(list *[]outcome, p []byte, then func([]byte) (int, error)) (int, error) {
	if len(*list) == 0 {
		return then(p)
	}
	o := (*list)[0]
	*list = (*list)[1:]
	if o.n < 0 {
		panic("ouch")
	}
	return o.n, o.err
}

func script(t *testing.T, reads, writes []outcome) *link {
	here, there := net.Pipe()
	t.Cleanup(func() { _ = there.Close() })
	return over(t, &scripted{here, reads, writes})
}

// ownTimeout is the timeout error of a stream multiplexer.
type ownTimeout struct{}

func (ownTimeout) Error() string   { return "i/o deadline reached" }
func (ownTimeout) Timeout() bool   { return true }
func (ownTimeout) Temporary() bool { return true }

// passed is an error that is a passed deadline as package net documents it: by errors.Is.
type passed struct{}

func (passed) Error() string        { return "the stream's deadline passed" }
func (passed) Is(target error) bool { return target == os.ErrDeadlineExceeded }

func TestReadSays(t *testing.T) {
	silent := &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ETIMEDOUT)}
	empty := make([]outcome, maxEmptyReads)
	for _, c := range []struct {
		name  string
		reads []outcome
		want  []outcome
	}{
		{"bytes first, then the error, which stays", []outcome{{3, io.EOF}},
			[]outcome{{3, nil}, {0, io.EOF}, {0, io.EOF}}},
		{"bytes that came with an interruption", []outcome{{3, os.ErrDeadlineExceeded}, {2, nil}},
			[]outcome{{3, nil}, {2, nil}}},
		{"a deadline in the words of the multiplexer", []outcome{{0, ownTimeout{}}},
			[]outcome{{0, ports.ErrInterrupted}}},
		{"a deadline as package net documents it", []outcome{{0, passed{}}}, []outcome{{0, ports.ErrInterrupted}}},
		{"a peer that fell silent", []outcome{{0, silent}}, []outcome{{0, silent}}},
		{"neither bytes nor an error", []outcome{{0, nil}, {0, nil}, {1, nil}}, []outcome{{1, nil}}},
		{"never anything", empty, []outcome{{0, io.ErrNoProgress}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := script(t, c.reads, nil)
			for i, want := range c.want {
				n, err := l.Read(make([]byte, 10))
				if n != want.n || err != want.err {
					t.Errorf("Read %d: %d, %v; want %d, %v", i, n, err, want.n, want.err)
				}
			}
		})
	}
}

func TestWriteSays(t *testing.T) {
	for _, c := range []struct {
		name  string
		write outcome
		want  outcome
	}{
		{"part, interrupted", outcome{4, os.ErrDeadlineExceeded}, outcome{4, ports.ErrInterrupted}},
		{"part, broken", outcome{4, syscall.EPIPE}, outcome{4, syscall.EPIPE}},
		{"part, and no reason", outcome{4, nil}, outcome{4, io.ErrShortWrite}},
		{"all", outcome{10, nil}, outcome{10, nil}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := script(t, nil, []outcome{c.write})
			if n, err := l.Write(make([]byte, 10)); n != c.want.n || err != c.want.err {
				t.Errorf("Write: %d, %v; want %d, %v", n, err, c.want.n, c.want.err)
			}
		})
	}
}

// Polled, a panic would end the process: it is on a goroutine of the link's.
func TestPumpContainsPanics(t *testing.T) {
	l := script(t, []outcome{{5, nil}, {-1, nil}}, []outcome{{-1, nil}})
	var got int
	var err error
	for {
		var n int
		n, err = l.Recv(make([]byte, 10))
		if got += n; err == ports.ErrWouldBlock {
			<-woken(l)
		} else if err != nil {
			break
		}
	}
	if got != 5 || !strings.Contains(err.Error(), "Read panicked: ouch") {
		t.Errorf("Recv: %d bytes, then %v", got, err)
	}
	for err = nil; err == nil; {
		if _, err = l.Send(make([]byte, ringMax+1)); err == ports.ErrWouldBlock {
			<-woken(l)
			err = nil
		}
	}
	if !strings.Contains(err.Error(), "Write panicked: ouch") {
		t.Errorf("Send: %v", err)
	}
}

// Send and Recv never hold more than their bound.
func TestPolledIsBounded(t *testing.T) {
	l := script(t, nil, nil)
	n, err := l.Send(make([]byte, 10*ringMax))
	if n != ringMax || err != ports.ErrWouldBlock {
		t.Errorf("Send: %d, %v; want %d and ErrWouldBlock", n, err, ringMax)
	}
	if n, err := l.Send([]byte("x")); n != 0 || err != ports.ErrWouldBlock {
		t.Errorf("Send: %d, %v; want 0 and ErrWouldBlock", n, err)
	}
}

func TestParkedBeforeEstablishedPanics(t *testing.T) {
	tr := &Transport{Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	l := tr.Open(ports.Endpoint{})
	defer func() { _ = l.Close() }()
	p := l.(ports.Parker)
	for name, call := range map[string]func([]byte) (int, error){"Read": p.Read, "Write": p.Write} {
		func() {
			defer func() {
				if got, want := recover(), "netlink: "+name+" on a link that is not established"; got != want {
					t.Errorf("%s: got panic %v, want %q", name, got, want)
				}
			}()
			_, _ = call(make([]byte, 1))
		}()
	}
}

// A read of no bytes waits for none, see io.Reader.
func TestEmptyRead(t *testing.T) {
	l := script(t, []outcome{{0, nil}, {1, nil}}, nil)
	for i, want := range []outcome{{0, nil}, {1, nil}} {
		if n, err := l.Read(make([]byte, want.n)); n != want.n || err != want.err {
			t.Errorf("Read %d: got %d, %v; want %d, %v", i, n, err, want.n, want.err)
		}
	}
}

// A deadline that the dial function left behind must not end the link.
func TestDeadlinesOfTheDialAreCleared(t *testing.T) {
	here, there := net.Pipe()
	_ = here.SetDeadline(time.Unix(1, 0))
	l := over(t, here)
	go func() { _, _ = there.Write([]byte("x")) }()
	if n, err := l.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("Read: %d, %v", n, err)
	}
}

// The owner polls at first and parks later; there must never be two readers.
func TestPolledThenParked(t *testing.T) {
	here, there := net.Pipe()
	l := over(t, here)
	if _, err := l.Recv(make([]byte, 1)); err != ports.ErrWouldBlock {
		t.Fatal(err)
	}
	go func() {
		for i := range 100 {
			_, _ = there.Write([]byte{byte(i)})
		}
	}()
	<-woken(l) // the first byte was read ahead
	p := make([]byte, 1)
	for i := range 100 {
		if n, err := l.Read(p); n != 1 || err != nil || p[0] != byte(i) {
			t.Fatalf("Read: %d, %v, byte %d; want byte %d", n, err, p[0], i)
		}
	}
}

// To watch a link that is read parked must not start a second reader.
func TestParkedAndWatched(t *testing.T) {
	here, there := net.Pipe()
	l := over(t, here)
	l.Watch(func() {})
	if l.in.running {
		t.Error("Watch started to read ahead")
	}
	go func() { _, _ = there.Write([]byte("x")) }()
	if n, err := l.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("Read: %d, %v", n, err)
	}
}

// slowFarewell is a TLS connection whose close_notify does not get through.
type slowFarewell struct {
	shaker
	reading, release chan struct{}
}

func (s slowFarewell) Read(p []byte) (int, error) {
	close(s.reading)
	return s.shaker.Read(p)
}

func (s slowFarewell) Close() error {
	<-s.release
	return s.shaker.Close()
}

func TestCloseDoesNotWaitForTheFarewell(t *testing.T) {
	here, there := net.Pipe()
	reading, release := make(chan struct{}), make(chan struct{})
	l := over(t, slowFarewell{shaker{here, func(context.Context) error { return nil }}, reading, release})
	read := make(chan error, 1)
	go func() {
		_, err := l.Read(make([]byte, 1))
		read <- err
	}()
	<-reading
	if err := l.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := <-read; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Read: %v; want net.ErrClosed", err)
	}
	close(release)
	wantEnd(t, there)
}

// continuer is a TLS connection whose writes can be continued, or not.
type continuer struct {
	shaker
	continues bool
	writing   chan struct{}
}

func (c continuer) ContinueWrites() bool { return c.continues }

func (c continuer) Write(p []byte) (int, error) {
	close(c.writing)
	return c.shaker.Write(p)
}

// TestContinuer: a deadline reaches a write after a handshake if that can be continued, and no other.
func TestContinuer(t *testing.T) {
	for _, continues := range []bool{true, false} {
		here, there := net.Pipe()
		writing := make(chan struct{})
		l := over(t, continuer{shaker{here, func(context.Context) error { return nil }}, continues, writing})
		written := make(chan outcome, 1)
		go func() {
			n, err := l.Write([]byte("abc"))
			written <- outcome{n, err}
		}()
		<-writing
		_, _ = io.ReadFull(there, make([]byte, 1))
		l.Interrupt()
		want := outcome{3, nil} // the pump has all of it
		if continues {
			want = outcome{1, ports.ErrInterrupted}
		}
		if got := <-written; got != want {
			t.Errorf("continues %v: Write: %v; want %v", continues, got, want)
		}
		_ = there.Close()
	}
}
