package porttest

import (
	"testing"

	"brokerconn/ports"
)

var checkerChecks = []transportCheck{
	{"Check returns nil for an open link, and takes no byte", checkOpen},
	{"Check, beside a parked Read, finds the end no sooner than Read does", checkEnd},
	{"Check of a closed link does no harm", checkClosed},
}

func checkable(t *testing.T, p ports.Parker) ports.Checker {
	t.Helper()
	c, ok := p.(ports.Checker)
	if !ok {
		t.Skip("needs a ports.Checker: the link does not implement it")
	}
	return c
}

func checkOpen(t *testing.T, harness Harness) {
	const total = 1000
	p, _, peer := parked(t, harness)
	c := checkable(t, p)
	isOpen := func() {
		t.Helper()
		if err := c.Check(); err != nil {
			t.Fatalf("Check: got %v, want nil for an open link", err)
		}
	}
	isOpen()
	buf := make([]byte, total)
	read := parkCall(p.Read, buf)
	isOpen()
	sent := peerSends(peer, total, false)
	o := receive(t, "Read returns", read)
	isOpen()
	for in := 0; ; {
		if o.err != nil {
			t.Fatalf("Read: %v", o.err)
		}
		wantPattern(t, buf[:o.n], in)
		if in += o.n; in == total {
			break
		}
		isOpen()
		o.n, o.err = p.Read(buf)
	}
	wantNoError(t, sent)
	isOpen()
}

func checkEnd(t *testing.T, harness Harness) {
	p, _, peer := parked(t, harness)
	c := checkable(t, p)
	read := parkCall(p.Read, make([]byte, 1))
	sent := peerSends(peer, 0, true)
	wantNoError(t, sent)
	for i := range 1000 { // it need not find out at all
		if c.Check() != nil {
			break
		}
		pauseAsking(i)
	}
	if o := receive(t, "Read returns", read); o.n != 0 || o.err == nil {
		t.Errorf("Check said that the link has ended, and Read says %d, %v", o.n, o.err)
	}
}

func checkClosed(t *testing.T, harness Harness) {
	p, link, _ := parked(t, harness)
	c := checkable(t, p)
	closeTwice(t, link)
	_ = c.Check() // that it does not panic is all
}
