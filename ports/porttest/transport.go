package porttest

import (
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	"brokerconn/ports"
)

// Harness is a transport, and what a test of it needs around it.
type Harness struct {
	Transport ports.Transport

	// Host and Port can be looked up.
	Host string
	Port uint16
	// Endpoint can be opened, any number of times.
	Endpoint ports.Endpoint
	// Accept returns the other side of the link that was opened first and not
	// accepted yet. It may block; it may also return nil, to be asked again. What
	// it returns may block as a net.Conn does, or say ErrWouldBlock; one
	// goroutine reads it while another one writes.
	Accept func() io.ReadWriteCloser

	// What follows is optional; the checks that need it are skipped otherwise.

	// UnknownHost cannot be looked up: an error.
	UnknownHost string
	// SilentHost is never found, nor given up, until Close.
	SilentHost string
	// Refused fails to be dialled.
	Refused ports.Endpoint
	// Silent neither answers nor fails to be dialled until Close.
	Silent ports.Endpoint

	// Unbounded says that Send takes whatever it is given.
	Unbounded bool
}

// patience bounds how long a check waits for what has to happen. It decides when
// a defect is reported, never whether a sound transport passes.
var patience = 20 * time.Second

// Transport checks a [ports.Transport], its lookups and its links: every
// sentence of the contracts, also those of [ports.Watcher], [ports.Parker] and
// [ports.Checker] where a link has them. newHarness is called for every check; it
// ends what it started in t.Cleanup, and may check there that no goroutine is left,
// since the suite closes its links before.
func Transport(t *testing.T, newHarness func(t *testing.T) Harness) {
	for _, group := range []struct {
		name   string
		checks []transportCheck
	}{
		{"Lookup", lookupChecks},
		{"Stage", stageChecks},
		{"Link", linkChecks},
		{"Watcher", watcherChecks},
		{"Parker", parkerChecks},
		{"Checker", checkerChecks},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, check := range group.checks {
				t.Run(check.name, func(t *testing.T) {
					harness := newHarness(t)
					// A call that blocks though it must not would hang the check:
					// the panic shows where.
					stuck := time.AfterFunc(3*patience, func() {
						panic("porttest: stuck in " + t.Name())
					})
					defer stuck.Stop()
					check.f(t, harness)
				})
			}
		})
	}
}

type transportCheck struct {
	name string
	f    func(t *testing.T, harness Harness)
}

var lookupChecks = []transportCheck{
	{"finds at least one endpoint of the host", lookupFinds},
	{"an unknown host is an error", lookupUnknown},
	{"Close gives up a lookup under way", lookupClosed},
	{"Watch calls once the result is there", lookupWatched},
}

func lookupFinds(t *testing.T, harness Harness) {
	l := harness.Transport.Resolve(harness.Host, harness.Port)
	eps, err := settled(t, l)
	if err != nil || len(eps) == 0 {
		t.Fatalf("Result: %v, %v; want at least one endpoint", eps, err)
	}
	for _, ep := range eps {
		if ep.Host != harness.Host {
			t.Errorf("endpoint %+v: Host is not %q, the name as configured", ep, harness.Host)
		}
		if ep.Network == "" || ep.Address == "" {
			t.Errorf("endpoint %+v: nothing to dial", ep)
		}
	}
	l.Close()
	l.Close()
}

func lookupUnknown(t *testing.T, harness Harness) {
	if harness.UnknownHost == "" {
		t.Skip("needs Harness.UnknownHost")
	}
	l := harness.Transport.Resolve(harness.UnknownHost, harness.Port)
	if eps, err := settled(t, l); err == nil || len(eps) != 0 {
		t.Errorf("Result: %v, %v; want an error and no endpoint", eps, err)
	}
	l.Close()
}

func lookupClosed(t *testing.T, harness Harness) {
	if harness.SilentHost == "" {
		t.Skip("needs Harness.SilentHost")
	}
	l := harness.Transport.Resolve(harness.SilentHost, harness.Port)
	if eps, err := l.Result(); err != ports.ErrWouldBlock || len(eps) != 0 {
		t.Errorf("Result: %v, %v; want ErrWouldBlock itself", eps, err)
	}
	l.Close()
	l.Close()
}

func lookupWatched(t *testing.T, harness Harness) {
	l := harness.Transport.Resolve(harness.Host, harness.Port)
	defer l.Close()
	w, ok := l.(ports.Watcher)
	if !ok {
		t.Skip("needs a ports.Watcher: the lookup does not implement it")
	}
	for {
		_, err := l.Result()
		if err != ports.ErrWouldBlock {
			return
		}
		watch(w).wait(t, "a result")
	}
}

func settled(t *testing.T, l ports.Lookup) (eps []ports.Endpoint, err error) {
	t.Helper()
	eventually(t, "the lookup ends", func() bool {
		eps, err = l.Result()
		return err != ports.ErrWouldBlock
	})
	return eps, err
}

var stageChecks = []transportCheck{
	{"rises to established and stays", stageRises},
	{"a refused address is an error in StageDialing", stageRefused},
	{"while dialling, nothing blocks and Close ends it", stageClosed},
	{"Close right after Open", stageClosedAtOnce},
}

func stageRises(t *testing.T, harness Harness) {
	link := harness.Transport.Open(harness.Endpoint)
	closeAtEnd(t, link)
	establish(t, link)
	for range 3 {
		if s, err := link.Stage(); s != ports.StageEstablished || err != nil {
			t.Fatalf("Stage after established: %v, %v", s, err)
		}
	}
	acceptOne(t, harness)
}

func stageRefused(t *testing.T, harness Harness) {
	if harness.Refused == (ports.Endpoint{}) {
		t.Skip("needs Harness.Refused")
	}
	link := harness.Transport.Open(harness.Refused)
	closeAtEnd(t, link)
	var s ports.Stage
	var err error
	eventually(t, "the dial fails", func() bool {
		s, err = link.Stage()
		return err != ports.ErrWouldBlock
	})
	for range 2 {
		if s != ports.StageDialing || err == nil {
			t.Fatalf("Stage: %v, %v; want StageDialing and an error, which stays", s, err)
		}
		s, err = link.Stage()
	}
	if n, err := link.Send([]byte("x")); n != 0 || err == nil || err == ports.ErrWouldBlock {
		t.Errorf("Send on a failed link: %d, %v; want an error", n, err)
	}
	if n, err := link.Recv(make([]byte, 1)); n != 0 || err == nil || err == ports.ErrWouldBlock {
		t.Errorf("Recv on a failed link: %d, %v; want an error", n, err)
	}
}

func stageClosed(t *testing.T, harness Harness) {
	if harness.Silent == (ports.Endpoint{}) {
		t.Skip("needs Harness.Silent")
	}
	link := harness.Transport.Open(harness.Silent)
	if s, err := link.Stage(); s != ports.StageDialing || err != ports.ErrWouldBlock {
		t.Errorf("Stage: %v, %v; want StageDialing and ErrWouldBlock itself", s, err)
	}
	if n, err := link.Recv(make([]byte, 1)); n != 0 || err != ports.ErrWouldBlock {
		t.Errorf("Recv: %d, %v; want ErrWouldBlock itself", n, err)
	}
	closeTwice(t, link)
	wantClosed(t, link)
}

func stageClosedAtOnce(t *testing.T, harness Harness) {
	for range 20 {
		link := harness.Transport.Open(harness.Endpoint)
		closeTwice(t, link)
		wantClosed(t, link)
	}
}

// establish waits until the link is established and checks that it only rises.
func establish(t *testing.T, link ports.Link) {
	t.Helper()
	last := ports.StageDialing
	eventually(t, "the link is established", func() bool {
		s, err := link.Stage()
		if s < last {
			t.Fatalf("the stage went from %v back to %v", last, s)
		}
		last = s
		if (err == nil) != (s == ports.StageEstablished) || err != nil && err != ports.ErrWouldBlock {
			t.Fatalf("Stage: %v, %v", s, err)
		}
		return err == nil
	})
}

// connect returns both sides of a link, to be closed when the check ends.
func connect(t *testing.T, harness Harness) (ports.Link, io.ReadWriteCloser) {
	t.Helper()
	link := harness.Transport.Open(harness.Endpoint)
	closeAtEnd(t, link)
	establish(t, link)
	return link, acceptOne(t, harness)
}

func acceptOne(t *testing.T, harness Harness) (peer io.ReadWriteCloser) {
	t.Helper()
	eventually(t, "the other side accepts", func() bool {
		peer = harness.Accept()
		return peer != nil
	})
	t.Cleanup(func() { _ = peer.Close() })
	return peer
}

func closeAtEnd(t *testing.T, link ports.Link) {
	t.Cleanup(func() { _ = link.Close() })
}

func closeTwice(t *testing.T, link ports.Link) {
	t.Helper()
	if err := link.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := link.Close(); err != nil {
		t.Errorf("Close again: %v", err)
	}
}

// wantClosed checks that no call on a closed link pretends that waiting helps.
func wantClosed(t *testing.T, link ports.Link) {
	t.Helper()
	_, err := link.Stage()
	wantFinal(t, "Stage", 0, err)
	n, err := link.Send([]byte("x"))
	wantFinal(t, "Send", n, err)
	n, err = link.Recv(make([]byte, 1))
	wantFinal(t, "Recv", n, err)
}

func wantFinal(t *testing.T, call string, n int, err error) {
	t.Helper()
	if n != 0 || err == nil || errors.Is(err, ports.ErrWouldBlock) || errors.Is(err, ports.ErrInterrupted) ||
		err == io.EOF {
		t.Errorf("%s after Close: %d, %v; want an error that is final", call, n, err)
	}
}

// eventually asks again, as an owner without a Watcher does, until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for i := 0; !ok(); i++ {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		pauseAsking(i)
	}
}

// pauseAsking lets others run between two questions.
func pauseAsking(i int) {
	if i < 100 {
		runtime.Gosched()
	} else {
		time.Sleep(100 * time.Microsecond)
	}
}
