package relay

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"testing"

	"brokerconn/acceptance/fakebroker"
)

// frames are two frames of Kafka's protocol, of 7 and of 6 bytes.
var frames = []byte("\x00\x00\x00\x03abc\x00\x00\x00\x02de")

// faulty starts a relay with a fault, and returns it with both ends of a connection through it.
func faulty(t *testing.T, f Fault) (r *Relay, client, server net.Conn) {
	t.Helper()
	target, err := net.Listen("tcp", "127.0.0.1:0")
	fakebroker.Must(t, err)
	t.Cleanup(func() { target.Close() })
	r, err = Start(target.Addr().String(), Options{Fault: func(int) Fault { return f }})
	fakebroker.Must(t, err)
	t.Cleanup(func() { r.Close() })
	client, err = net.Dial("tcp", r.Addr())
	fakebroker.Must(t, err)
	t.Cleanup(func() { client.Close() })
	if f.Kind == CloseNow {
		return r, client, nil
	}
	server, err = target.Accept()
	fakebroker.Must(t, err)
	t.Cleanup(func() { server.Close() })
	return r, client, server
}

// TestFaultsAtTheirPlace: the client receives what passes before the fault, and then what the fault makes of the rest.
func TestFaultsAtTheirPlace(t *testing.T) {
	for _, c := range []struct {
		fault Fault
		want  string // received
		ends  error  // nil: by the end of the stream
	}{
		{Fault{}, string(frames), nil},
		{Fault{Kind: FIN, Frames: 1, After: 5}, string(frames[:12]), nil},
		{Fault{Kind: FIN}, "", nil},
		{Fault{Kind: HalfClose, Frames: 1}, string(frames[:7]), nil},
		{Fault{Kind: RST, Frames: 1, After: 1}, string(frames[:8]), syscall.ECONNRESET},
		{Fault{Kind: Dribble, After: 2}, string(frames), nil},
		{Fault{Kind: Inject, Frames: 1, Bytes: []byte("xy")}, string(frames[:7]) + "xy" + string(frames[7:]), nil},
		{Fault{Kind: Replace, Frames: 1, After: 4, Bytes: []byte("x")}, string(frames[:11]) + "xe", nil},
		{Fault{Kind: Replace, Bytes: []byte{0x7f, 0xff}}, "\x7f\xff" + string(frames[2:]), nil},
		{Fault{Kind: CloseNow}, "", nil},
	} {
		t.Run(c.fault.String(), func(t *testing.T) {
			_, client, server := faulty(t, c.fault)
			if server != nil {
				_, err := server.Write(frames)
				fakebroker.Must(t, err)
				fakebroker.Must(t, server.(*net.TCPConn).CloseWrite())
			}
			got, err := io.ReadAll(client)
			if !errors.Is(err, c.ends) {
				t.Errorf("got the end %v, want %v", err, c.ends)
			}
			if c.ends == nil && string(got) != c.want || !bytes.HasPrefix([]byte(c.want), got) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestResetNow: a dial may see the reset itself.
func TestResetNow(t *testing.T) {
	r, err := Start("127.0.0.1:1", Options{Fault: func(int) Fault { return Fault{Kind: ResetNow} }})
	fakebroker.Must(t, err)
	defer r.Close()
	client, err := net.Dial("tcp", r.Addr())
	if err == nil {
		defer client.Close()
		_, err = client.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
}

// TestHalfClosePassesTheOtherDirection, and FIN drops it.
func TestHalfClosePassesTheOtherDirection(t *testing.T) {
	for kind, want := range map[Kind]string{HalfClose: "late", FIN: ""} {
		_, client, server := faulty(t, Fault{Kind: kind})
		_, err := server.Write(frames)
		fakebroker.Must(t, err)
		_, err = io.ReadAll(client)
		fakebroker.NoError(t, err)
		_, err = client.Write([]byte("late"))
		fakebroker.NoError(t, err)
		client.Close()
		if got, _ := io.ReadAll(server); string(got) != want {
			t.Errorf("%s: got %q at the target, want %q", kind, got, want)
		}
	}
}

// TestSilenceLosesBothDirections, also the end of the target's stream: the client sees an end only when the relay is
// closed.
func TestSilenceLosesBothDirections(t *testing.T) {
	r, client, server := faulty(t, Fault{Kind: Silence, Frames: 1})
	_, err := server.Write(frames)
	fakebroker.Must(t, err)
	_, err = io.ReadFull(client, make([]byte, 7))
	fakebroker.Must(t, err)
	r.Strike(Fault{Kind: Silence}) // the place of the fault is reached by what follows, which may not have come
	_, err = client.Write([]byte("lost"))
	fakebroker.NoError(t, err)
	fakebroker.Must(t, client.(*net.TCPConn).CloseWrite())
	if got, err := io.ReadAll(server); len(got) > 0 || err != nil {
		t.Errorf("got %q and error %v at the target, want nothing", got, err)
	}
	fakebroker.Must(t, r.Close())
	if got, _ := io.ReadAll(client); len(got) > 0 {
		t.Errorf("got %q at the client, want nothing", got)
	}
}

// TestStallFillsWindows: a write of more than all buffers hold does not end before the relay is closed.
func TestStallFillsWindows(t *testing.T) {
	r, client, server := faulty(t, Fault{})
	r.Strike(Fault{Kind: Stall})
	const size = 64 << 20
	result := make(chan error, 1)
	go func() {
		_, err := client.Write(make([]byte, size))
		result <- err
	}()
	fakebroker.Must(t, r.Close())
	if err := <-result; err == nil {
		t.Errorf("got a write of %d bytes that ended, want an error", size)
	}
	if n, _ := io.Copy(io.Discard, server); n > 1<<20 {
		t.Errorf("got %d bytes at the target, want one read at most", n)
	}
}

// TestFaultsAreCounted where they begin, and only there.
func TestFaultsAreCounted(t *testing.T) {
	counts := map[Kind]int{}
	var mu sync.Mutex
	next := []Fault{
		{Kind: ResetNow}, {Kind: FIN, Frames: 1}, {Kind: Inject, Bytes: []byte("x")}, {Kind: RST, After: 99},
	}
	target, err := net.Listen("tcp", "127.0.0.1:0")
	fakebroker.Must(t, err)
	defer target.Close()
	r, err := Start(target.Addr().String(), Options{
		Fault: func(n int) Fault { return next[n] },
		Began: func(k Kind) { mu.Lock(); defer mu.Unlock(); counts[k]++ },
	})
	fakebroker.Must(t, err)
	defer r.Close()
	for _, f := range next {
		client, err := net.Dial("tcp", r.Addr())
		if err == nil && f.Kind != ResetNow {
			server, err := target.Accept()
			fakebroker.Must(t, err)
			_, err = server.Write(frames)
			fakebroker.Must(t, err)
			fakebroker.Must(t, server.Close())
		}
		if err == nil { // a dial may see the reset itself
			_, _ = io.ReadAll(client) // the count is compared
			client.Close()
		}
	}
	fakebroker.Must(t, r.Close())
	if want := map[Kind]int{ResetNow: 1, FIN: 1, Inject: 1}; !maps.Equal(counts, want) {
		t.Errorf("got %v, want %v", counts, want)
	}
}

// TestRandomFaultsDependOnTheSeed, and all kinds come, in both directions.
func TestRandomFaultsDependOnTheSeed(t *testing.T) {
	kinds := []Kind{FIN, Silence, CloseNow}
	seen := map[string]bool{}
	for seed := range uint64(200) {
		random := func() Fault { return Random(rand.New(rand.NewPCG(seed, 0)), kinds...) }
		f := random()
		if second := random(); f.String() != second.String() {
			t.Errorf("seed %d: got %v and %v, want one", seed, f, second)
		}
		f.After = 0
		seen[f.String()] = true
	}
	if len(seen) != 2*len(kinds) {
		t.Errorf("got %v, want %d kinds in both directions", seen, len(kinds))
	}
}
