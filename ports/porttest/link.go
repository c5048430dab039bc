package porttest

import (
	"bytes"
	"io"
	"math/rand"
	"runtime"
	"sync"
	"testing"

	"brokerconn/ports"
)

var linkChecks = []check[Harness]{
	{"Recv says ErrWouldBlock when nothing is there", linkNothingThere},
	{"bytes arrive whole, both ways at once", linkBothWays},
	{"Send takes what fits, and the rest later", linkShortSend},
	{"io.EOF comes after every byte", linkEOF},
	{"Close is idempotent and final", linkClose},
	{"Close ends the other side", linkCloseSeen},
	{"Close may come at any time, from anywhere", linkCloseConcurrent},
	{"links do not mix", linkMany},
}

func linkNothingThere(t *testing.T, harness Harness) {
	link, peer := connect(t, harness)
	p := make([]byte, 10)
	for range 3 {
		of(link.Recv(p)).want(t, "Recv of nothing", 0, ports.ErrWouldBlock)
	}
	sent := peerSends(peer, 3, false)
	if n := recvAll(t, link, 3); n != 3 {
		t.Errorf("received %d bytes, want 3", n)
	}
	wantNoError(t, sent)
	of(link.Recv(p)).want(t, "Recv after all bytes", 0, ports.ErrWouldBlock)
}

func linkBothWays(t *testing.T, harness Harness) {
	const total = 1 << 20
	link, peer := connect(t, harness)
	sent, received := peerSends(peer, total, false), peerReceives(peer, total)
	rnd := rand.New(rand.NewSource(1))
	var out, in int
	buf := make([]byte, 20_000)
	eventually(t, "both directions are through", func() bool {
		moved := true
		for moved {
			o := sendSome(t, link, buf[:min(1+rnd.Intn(len(buf)), total-out)], out)
			i := recvSome(t, link, buf[:1+rnd.Intn(len(buf))], in)
			out, in, moved = out+o, in+i, o+i > 0
		}
		return out == total && in >= total
	})
	if in != total {
		t.Errorf("received %d bytes, want %d", in, total)
	}
	wantNoError(t, sent)
	wantCount(t, received, total)
}

func linkShortSend(t *testing.T, harness Harness) {
	needs(t, !harness.Unbounded, "a bounded send buffer: Harness.Unbounded is true")
	const tooMuch = 256 << 20
	link, peer := connect(t, harness)
	buf := make([]byte, 100_000)
	out, n := 0, len(buf)
	for n == len(buf) {
		n = sendSome(t, link, buf, out)
		if out += n; out > tooMuch {
			t.Fatalf("Send accepted %d bytes without a reader: it has no bound", out)
		}
	}
	received := peerReceives(peer, out+len(buf))
	total := out + len(buf)
	eventually(t, "the rest fits", func() bool {
		out += sendSome(t, link, buf[:min(len(buf), total-out)], out)
		return out == total
	})
	wantCount(t, received, total)
}

func linkEOF(t *testing.T, harness Harness) {
	for _, size := range []int{0, 1, 100_000} {
		link, peer := connect(t, harness)
		sent := peerSends(peer, size, true)
		in, buf := 0, make([]byte, 1000)
		var err error
		eventually(t, "io.EOF", func() bool {
			for {
				var n int
				n, err = link.Recv(buf)
				wantPattern(t, buf[:n], in)
				in += n
				if err != nil {
					return err != ports.ErrWouldBlock
				}
			}
		})
		wantNoError(t, sent)
		if in != size || err != io.EOF {
			t.Errorf("received %d bytes and %v, want %d bytes and io.EOF itself", in, err, size)
		}
		of(link.Recv(buf)).want(t, "Recv after io.EOF", 0, io.EOF)
	}
}

func linkClose(t *testing.T, harness Harness) {
	link, _ := connect(t, harness)
	closeTwice(t, link)
	wantClosed(t, link)

	link, peer := connect(t, harness) // with both goroutines, if it has some, at work
	sent := peerSends(peer, 10, false)
	recvAll(t, link, 10)
	wantNoError(t, sent)
	sendSome(t, link, make([]byte, 10), 0)
	closeTwice(t, link)
	wantClosed(t, link)
}

func linkCloseSeen(t *testing.T, harness Harness) {
	link, peer := connect(t, harness)
	received := peerReceives(peer, 1<<30)
	closeTwice(t, link)
	wantCount(t, received, 0)
}

func linkCloseConcurrent(t *testing.T, harness Harness) {
	const traffic = 8 << 20 // a link without a bound keeps it all
	for round := range 20 {
		link, peer := connect(t, harness)
		sent, received := peerSends(peer, traffic, false), peerReceives(peer, 1<<30)
		var owner sync.WaitGroup
		owner.Go(func() {
			buf := make([]byte, 5000)
			for off := 0; ; {
				fillPattern(buf, off)
				n, e1 := link.Send(buf[:min(len(buf), traffic-off)])
				off += n
				_, e2 := link.Recv(buf)
				_, e3 := link.Stage()
				for _, err := range []error{e1, e2, e3} {
					if err != nil && err != ports.ErrWouldBlock {
						return
					}
				}
				runtime.Gosched()
			}
		})
		for range round {
			runtime.Gosched()
		}
		var closers sync.WaitGroup
		for range 4 {
			closers.Go(func() { _ = link.Close() })
		}
		closers.Wait()
		await(t, "polling ends after Close", owner.Wait)
		wantClosed(t, link)
		await(t, "the other side ends after Close", func() { <-sent; <-received })
	}
}

func linkMany(t *testing.T, harness Harness) {
	a, peerA := connect(t, harness)
	b, peerB := connect(t, harness)
	for i, link := range []ports.Link{a, b} {
		of(link.Send([]byte{byte('a' + i)})).want(t, "Send", 1, nil)
	}
	for i, peer := range []io.Reader{peerA, peerB} {
		p := make([]byte, 1)
		if _, err := io.ReadFull(peer, p); err != nil || p[0] != byte('a'+i) {
			t.Errorf("link %d: the other side read %q, %v", i, p, err)
		}
	}
	_ = a.Close()
	of(b.Recv(make([]byte, 1))).want(t, "Recv after another link was closed", 0, ports.ErrWouldBlock)
}

// sendSome offers p filled with the pattern, and scribbles over it afterwards: p
// is the caller's again.
func sendSome(t *testing.T, link ports.Link, p []byte, off int) int {
	t.Helper()
	if len(p) == 0 {
		return 0
	}
	fillPattern(p, off)
	n, err := link.Send(p)
	switch {
	case n < 0 || n > len(p):
		t.Fatalf("Send of %d bytes: n = %d", len(p), n)
	case n < len(p) && err != ports.ErrWouldBlock, n == len(p) && err != nil:
		t.Fatalf("Send of %d bytes: %d, %v; want ErrWouldBlock itself if and only if some are left", len(p), n, err)
	}
	clear(p)
	return n
}

// recvSome receives once and checks the pattern and that no more than n bytes
// were written to.
func recvSome(t *testing.T, link ports.Link, p []byte, off int) int {
	t.Helper()
	for i := range p {
		p[i] = 0xAA
	}
	n, err := link.Recv(p)
	switch {
	case n < 0 || n > len(p):
		t.Fatalf("Recv into %d bytes: n = %d", len(p), n)
	case n == 0 && err != ports.ErrWouldBlock:
		t.Fatalf("Recv: 0, %v; want ErrWouldBlock itself", err)
	case n > 0 && err != nil && err != ports.ErrWouldBlock:
		t.Fatalf("Recv: %d, %v; want the error behind the last byte", n, err)
	case n == len(p) && err != nil:
		t.Fatalf("Recv filled p and returned %v; want to be asked for more", err)
	case bytes.Count(p[n:], []byte{0xAA}) != len(p)-n:
		t.Fatalf("Recv said %d and wrote beyond", n)
	}
	wantPattern(t, p[:n], off)
	return n
}

func recvAll(t *testing.T, link ports.Link, total int) (in int) {
	t.Helper()
	eventually(t, "all bytes arrive", func() bool {
		in += recvSome(t, link, make([]byte, total-in+1), in)
		return in >= total
	})
	return in
}
