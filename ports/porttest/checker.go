package porttest

import (
	"errors"
	"testing"

	"brokerconn/ports"
)

var checkerChecks = []check[Harness]{
	{"Check finds no end of an open link, and takes no byte", checkOpen},
	{"Check, beside a parked Read, finds the end no sooner than Read does", checkEnd},
	{"Check of a closed link does no harm", checkClosed},
}

func checkOpen(t *testing.T, harness Harness) {
	const total = 1000
	p, peer := parked(t, harness)
	c := optional[ports.Checker](t, p)
	isOpen := func() {
		t.Helper()
		if err := c.Check(); err != nil && !errors.Is(err, ports.ErrUnread) {
			t.Fatalf("Check: got %v, want nil or ErrUnread for an open link", err)
		}
	}
	isOpen()
	buf := make([]byte, total)
	read := parkCall(p.Read, buf)
	isOpen()
	sent := peerSends(peer, total, false)
	for in, o := 0, read.ends(t, "Read"); ; o = of(p.Read(buf)) {
		isOpen()
		if o.err != nil {
			t.Fatalf("Read: %v", o.err)
		}
		wantPattern(t, buf[:o.n], in)
		if in += o.n; in == total {
			break
		}
	}
	wantNoError(t, sent)
	isOpen()
}

func checkEnd(t *testing.T, harness Harness) {
	p, peer := parked(t, harness)
	c := optional[ports.Checker](t, p)
	read := parkCall(p.Read, make([]byte, 1))
	sent := peerSends(peer, 0, true)
	wantNoError(t, sent)
	for i := range 1000 { // it need not find out at all
		if c.Check() != nil {
			break
		}
		pauseAsking(i)
	}
	if o := read.ends(t, "Read"); o.n != 0 || o.err == nil {
		t.Errorf("Check said that the link has ended, and Read says %d, %v", o.n, o.err)
	}
}

func checkClosed(t *testing.T, harness Harness) {
	p, _ := parked(t, harness)
	c := optional[ports.Checker](t, p)
	closeTwice(t, p)
	_ = c.Check() // that it does not panic is all
}
