package porttest

import (
	"io"
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

	vector bool // Write is WriteVector
}

// Transport checks a [ports.Transport], its lookups and its links: every
// sentence of the contracts, also those of [ports.Watcher], [ports.Racer], [ports.Parker] and
// [ports.Checker] where a link has them. newHarness is called for every check; it
// ends what it started in t.Cleanup, and may check there that no goroutine is left,
// since the suite closes its links before.
func Transport(t *testing.T, newHarness func(t *testing.T) Harness) {
	newSubject := func(t *testing.T) Harness {
		harness := newHarness(t)
		// A call that blocks though it must not would hang the check: the panic shows where.
		stuck := time.AfterFunc(3*patience, func() { panic("porttest: stuck in " + t.Name()) })
		t.Cleanup(func() { stuck.Stop() })
		return harness
	}
	for _, group := range []struct {
		name   string
		checks []check[Harness]
	}{
		{"Lookup", lookupChecks},
		{"Stage", stageChecks},
		{"Racer", racerChecks},
		{"Link", linkChecks},
		{"Watcher", watcherChecks},
		{"Parker", parkerChecks},
		{"VectorWriter", vectorChecks},
		{"Checker", checkerChecks},
	} {
		t.Run(group.name, func(t *testing.T) { run(t, group.checks, newSubject) })
	}
}

var lookupChecks = []check[Harness]{
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
	needs(t, harness.UnknownHost != "", "Harness.UnknownHost")
	l := harness.Transport.Resolve(harness.UnknownHost, harness.Port)
	if eps, err := settled(t, l); err == nil || len(eps) != 0 {
		t.Errorf("Result: %v, %v; want an error and no endpoint", eps, err)
	}
	l.Close()
}

func lookupClosed(t *testing.T, harness Harness) {
	needs(t, harness.SilentHost != "", "Harness.SilentHost")
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
	w := optional[ports.Watcher](t, l)
	for _, err := l.Result(); err == ports.ErrWouldBlock; _, err = l.Result() {
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

var stageChecks = []check[Harness]{
	{"rises to established and stays", stageRises},
	{"a refused address is an error in StageDialing", stageRefused},
	{"while dialling, nothing blocks and Close ends it", stageClosed},
	{"Close right after Open", stageClosedAtOnce},
}

func stageRises(t *testing.T, harness Harness) {
	link := open(t, harness, harness.Endpoint)
	establish(t, link)
	for range 3 {
		if s, err := link.Stage(); s != ports.StageEstablished || err != nil {
			t.Fatalf("Stage after established: %v, %v", s, err)
		}
	}
	acceptOne(t, harness)
}

func stageRefused(t *testing.T, harness Harness) {
	needs(t, harness.Refused != ports.Endpoint{}, "Harness.Refused")
	link := open(t, harness, harness.Refused)
	dialFails(t, link)
	for call, f := range map[string]func([]byte) (int, error){"Send": link.Send, "Recv": link.Recv} {
		if n, err := f([]byte("x")); n != 0 || err == nil || err == ports.ErrWouldBlock {
			t.Errorf("%s on a failed link: %d, %v; want an error", call, n, err)
		}
	}
}

// dialFails requires that the dial of a link fails, and that the error stays.
func dialFails(t *testing.T, link ports.Link) {
	t.Helper()
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
}

func stageClosed(t *testing.T, harness Harness) {
	needs(t, harness.Silent != ports.Endpoint{}, "Harness.Silent")
	link := harness.Transport.Open(harness.Silent)
	if s, err := link.Stage(); s != ports.StageDialing || err != ports.ErrWouldBlock {
		t.Errorf("Stage: %v, %v; want StageDialing and ErrWouldBlock itself", s, err)
	}
	of(link.Recv(make([]byte, 1))).want(t, "Recv", 0, ports.ErrWouldBlock)
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
	link := open(t, harness, harness.Endpoint)
	establish(t, link)
	return link, acceptOne(t, harness)
}

func acceptOne(t *testing.T, harness Harness) io.ReadWriteCloser {
	t.Helper()
	var peer io.ReadWriteCloser
	eventually(t, "the other side accepts", func() bool {
		peer = harness.Accept()
		return peer != nil
	})
	t.Cleanup(func() { _ = peer.Close() })
	return blocking{peer}
}

// open returns a link that is closed when the check ends.
func open(t *testing.T, harness Harness, to ports.Endpoint) ports.Link {
	link := harness.Transport.Open(to)
	t.Cleanup(func() { _ = link.Close() })
	return link
}

func closeTwice(t *testing.T, link ports.Link) {
	t.Helper()
	for _, call := range []string{"Close", "Close again"} {
		if err := link.Close(); err != nil {
			t.Errorf("%s: %v", call, err)
		}
	}
}

// wantClosed checks that no call on a closed link pretends that waiting helps.
func wantClosed(t *testing.T, link ports.Link) {
	t.Helper()
	_, err := link.Stage()
	of(0, err).wantFinal(t, "Stage")
	of(link.Send([]byte("x"))).wantFinal(t, "Send")
	of(link.Recv(make([]byte, 1))).wantFinal(t, "Recv")
}
