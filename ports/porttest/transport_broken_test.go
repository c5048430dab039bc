package porttest_test

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// A suite that cannot fail shows nothing. Here every fault breaks one sentence
// of the contract in a sound transport, and the check of that sentence has to
// fail: in a process of its own, since a failed subtest fails its parents.

type sound interface {
	ports.Link
	ports.Watcher
}

type soundParker interface {
	sound
	ports.Parker
}

var transportFaults = []struct {
	name    string
	check   string // group/name of the check that has to notice
	link    func(sound) ports.Link
	park    func(soundParker) ports.Link
	harness func(*porttest.Harness)
}{
	{name: "no endpoint and no error", check: "Lookup/finds_at_least", harness: withLookup(noResult{})},
	{name: "an unknown host is found", check: "Lookup/an_unknown",
		harness: func(r *porttest.Harness) { r.UnknownHost = "known" }},
	{name: "a lookup that is held says EOF", check: "Lookup/Close_gives_up", harness: withLookup(noResult{io.EOF})},
	{name: "a lookup that never calls its watcher", check: "Lookup/Watch",
		harness: withLookup(noResult{ports.ErrWouldBlock})},
	{name: "a refused address is reached", check: "Stage/a_refused",
		harness: func(r *porttest.Harness) { r.Refused = r.Endpoint }},
	{name: "the stage falls", check: "Stage/rises", link: func(l sound) ports.Link { return &stageFalls{sound: l} }},
	{name: "ErrWouldBlock is wrapped", check: "Link/Recv_says",
		link: func(l sound) ports.Link { return recvs{l, wrap} }},
	{name: "Recv says 0, nil", check: "Link/Recv_says",
		link: func(l sound) ports.Link { return recvs{l, without(ports.ErrWouldBlock)} }},
	{name: "Recv counts one less", check: "Link/bytes_arrive",
		link: func(l sound) ports.Link { return recvs{l, less} }},
	{name: "Recv says that all is there", check: "Link/bytes_arrive",
		link: func(l sound) ports.Link { return recvs{l, all} }},
	{name: "Recv writes beyond", check: "Link/bytes_arrive", link: func(l sound) ports.Link { return recvBeyond{l} }},
	{name: "Send keeps the caller's bytes", check: "Link/bytes_arrive",
		link: func(l sound) ports.Link { return &sendLate{sound: l} }},
	{name: "Send says all and takes some", check: "Link/Send_takes",
		link: func(l sound) ports.Link { return sendBoasts{l} }},
	{name: "io.EOF before the last byte", check: "Link/io.EOF",
		link: func(l sound) ports.Link { return &eofEarly{sound: l} }},
	{name: "Close again is an error", check: "Link/Close_is_idempotent",
		link: func(l sound) ports.Link { return &closeTwice{sound: l} }},
	{name: "after Close, io.EOF", check: "Link/Close_is_idempotent",
		link: func(l sound) ports.Link { return &closeTwice{sound: l, calm: true} }},
	{name: "Close does nothing", check: "Link/Close_ends", link: func(l sound) ports.Link { return closeNot{l} }},
	{name: "a closed link asks to wait", check: "Link/Close_may_come",
		link: func(l sound) ports.Link { return closeNot{l} }},
	{name: "Watch calls twice", check: "Watcher/calls_when_bytes",
		link: func(l sound) ports.Link { return watchTwice{l} }},
	{name: "Watch calls at once", check: "Watcher/neither", link: func(l sound) ports.Link { return watchHere{l} }},
	{name: "Watch calls under a lock", check: "Watcher/neither",
		link: func(l sound) ports.Link { return &watchLocked{sound: l} }},
	{name: "Watch replaces nothing", check: "Watcher/a_later",
		link: func(l sound) ports.Link { return &watchAll{sound: l} }},
	{name: "now and then no wake-up", check: "Watcher/no_wake-up_is_lost:_reading",
		link: func(l sound) ports.Link { return &watchLost{sound: l} }},
	{name: "now and then no wake-up", check: "Watcher/no_wake-up_is_lost:_writing",
		link: func(l sound) ports.Link { return &watchLost{sound: l} }},
	{name: "the end is no news", check: "Watcher/calls_when_the_other",
		link: func(l sound) ports.Link { return watchNever{l} }},
	{name: "the stage is no news", check: "Watcher/calls_when_the_stage",
		link: func(l sound) ports.Link { return &stageSilent{watchNever: watchNever{l}} }},
	{name: "Read says 0, nil", check: "Parker/Interrupt_reaches_a_parked_Read",
		park: func(l soundParker) ports.Link { return parkReads{l, without(ports.ErrInterrupted)} }},
	{name: "Interrupt does nothing", check: "Parker/Interrupt_reaches_a_parked_Write",
		park: func(l soundParker) ports.Link { return parkDeaf{l} }},
	{name: "Interrupt before the call is lost", check: "Parker/Interrupt_before",
		park: func(l soundParker) ports.Link { return parkDeaf{l} }},
	{name: "Interrupt holds once", check: "Parker/Interrupt_reaches_a_parked_Read", park: resumed},
	{name: "an interruption costs a byte", check: "Parker/many_inter",
		park: func(l soundParker) ports.Link { return &parkLoses{soundParker: l} }},
	{name: "Write gives up half way", check: "Parker/Write_waits",
		park: func(l soundParker) ports.Link { return parkHalf{l} }},
	{name: "an interrupted Write miscounts", check: "Parker/Interrupt_reaches_a_parked_Write",
		park: func(l soundParker) ports.Link { return parkMiscounts{l} }},
	{name: "a closed Write miscounts", check: "Parker/Close_ends_a_parked_Write",
		park: func(l soundParker) ports.Link { return parkMiscounts{l} }},
	{name: "Close leaves Read parked", check: "Parker/Close_ends_a_parked_Read",
		park: func(l soundParker) ports.Link { return parkNoClose{l} }},
	{name: "interrupted without end", check: "Parker/Close_ends_the_effect",
		park: func(l soundParker) ports.Link { return parkNoClose{l} }},
	{name: "Check reports an end of an open link", check: "Checker/Check_finds_no_end",
		park: func(l soundParker) ports.Link { return checkEnds{l} }},
	{name: "Check takes a byte", check: "Checker/Check_finds_no_end",
		park: func(l soundParker) ports.Link { return &checkTakes{soundParker: l} }},
	{name: "Check waits", check: "Checker/Check_finds_no_end",
		park: func(l soundParker) ports.Link { return checkWaits{l} }},
	{name: "Read ends before the last byte", check: "Parker/Read_waits",
		park: func(l soundParker) ports.Link { return &parkEOF{soundParker: l} }},
}

const faultEnv = "PORTTEST_FAULT"

func TestTransportNoticesFaults(t *testing.T) {
	for i, fault := range transportFaults {
		notices(t, i, fault.name, "TestBrokenTransport", fault.check)
	}
}

// notices runs the check of a broken implementation, the i-th fault of a test, in a
// process of its own.
func notices(t *testing.T, i int, name, test, check string) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(exe, "-test.v", "-test.count=1", "-test.timeout=60s", "-test.run=^"+test+"$/^"+check)
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", faultEnv, i))
		out, err := cmd.CombinedOutput()
		failed := strings.Contains(string(out), "--- FAIL: "+test+"/"+check) ||
			strings.Contains(string(out), "panic: porttest: stuck in "+test+"/"+check)
		if err == nil || !failed {
			t.Errorf("%s did not fail (%v):\n%s", check, err, out)
		}
	})
}

// TestBrokenTransport is what the processes run.
func TestBrokenTransport(t *testing.T) {
	var i int
	if _, err := fmt.Sscan(os.Getenv(faultEnv), &i); err != nil {
		t.Skip("needs a fault: TestTransportNoticesFaults sets it")
	}
	porttest.SetPatience(300 * time.Millisecond)
	fault := transportFaults[i]
	porttest.Transport(t, func(t *testing.T) porttest.Harness {
		harness := memoryHarness(10_000)
		if fault.park != nil {
			harness = pipeHarness(t, func(c net.Conn) net.Conn { return c })
		}
		if fault.harness != nil {
			fault.harness(&harness)
			return harness
		}
		harness.Transport = strange{Transport: harness.Transport, link: func(l ports.Link) ports.Link {
			if fault.park != nil {
				return fault.park(l.(soundParker))
			}
			return fault.link(l.(sound))
		}}
		return harness
	})
}

// strange is a transport whose lookups or links are replaced.
type strange struct {
	ports.Transport
	lookup ports.Lookup
	link   func(ports.Link) ports.Link
}

func (s strange) Resolve(host string, port uint16) ports.Lookup {
	if s.lookup != nil {
		return s.lookup
	}
	return s.Transport.Resolve(host, port)
}

func (s strange) Open(ep ports.Endpoint) ports.Link {
	if s.link != nil {
		return s.link(s.Transport.Open(ep))
	}
	return s.Transport.Open(ep)
}

func withLookup(l ports.Lookup) func(*porttest.Harness) {
	return func(r *porttest.Harness) { r.Transport = strange{Transport: r.Transport, lookup: l} }
}

type noResult struct{ err error }

func (n noResult) Result() ([]ports.Endpoint, error) { return nil, n.err }
func (noResult) Close()                              {}
func (noResult) Watch(func())                        {}

type stageFalls struct {
	sound
	asked int
}

func (l *stageFalls) Stage() (ports.Stage, error) {
	if l.asked++; l.asked > 2 {
		return ports.StageDialing, ports.ErrWouldBlock
	}
	return l.sound.Stage()
}

// recvs changes what Recv returns.
type recvs struct {
	sound
	result func(n int, err error) (int, error)
}

func (l recvs) Recv(p []byte) (int, error) { return l.result(l.sound.Recv(p)) }

func wrap(n int, err error) (int, error) {
	if err != nil {
		err = fmt.Errorf("recv: %w", err)
	}
	return n, err
}

func less(n int, err error) (int, error) { return max(n-1, min(n, 1)), err }

// all says that nothing more has arrived, whatever there is.
func all(n int, err error) (int, error) { return n, cmp.Or(err, ports.ErrWouldBlock) }

// without makes nil of an error.
func without(hidden error) func(int, error) (int, error) {
	return func(n int, err error) (int, error) {
		if err == hidden {
			err = nil
		}
		return n, err
	}
}

type recvBeyond struct{ sound }

func (l recvBeyond) Recv(p []byte) (int, error) {
	n, err := l.sound.Recv(p[:(len(p)+1)/2])
	clear(p[n:])
	return n, err
}

type sendLate struct {
	sound
	kept []byte
}

func (l *sendLate) Send(p []byte) (int, error) {
	if len(l.kept) > 0 {
		n, _ := l.sound.Send(l.kept)
		l.kept = l.kept[n:]
		return 0, ports.ErrWouldBlock
	}
	l.kept = p
	return len(p), nil
}

type sendBoasts struct{ sound }

func (l sendBoasts) Send(p []byte) (int, error) {
	_, err := l.sound.Send(p)
	if err == ports.ErrWouldBlock {
		err = nil
	}
	return len(p), err
}

type eofEarly struct {
	sound
	got int
}

func (l *eofEarly) Recv(p []byte) (int, error) {
	if l.got > 50_000 {
		return 0, io.EOF
	}
	n, err := l.sound.Recv(p)
	l.got += n
	return n, err
}

type closeTwice struct {
	sound
	mu     sync.Mutex
	closed bool
	calm   bool
}

func (l *closeTwice) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed && !l.calm {
		return net.ErrClosed
	}
	l.closed = true
	return l.sound.Close()
}

func (l *closeTwice) Recv(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed && l.calm {
		return 0, io.EOF
	}
	return l.sound.Recv(p)
}

type closeNot struct{ sound }

func (closeNot) Close() error { return nil }

type watchTwice struct{ sound }

func (l watchTwice) Watch(f func()) { l.sound.Watch(func() { f(); f() }) }

type watchHere struct{ sound }

func (watchHere) Watch(f func()) { f() }

type watchLocked struct {
	sound
	mu sync.Mutex
}

func (l *watchLocked) Watch(f func()) {
	l.sound.Watch(func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		f()
	})
}

func (l *watchLocked) Stage() (ports.Stage, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sound.Stage()
}

type watchAll struct {
	sound
	mu  sync.Mutex
	all []func()
}

func (l *watchAll) Watch(f func()) {
	l.mu.Lock()
	l.all = append(l.all, f)
	l.mu.Unlock()
	l.sound.Watch(func() {
		l.mu.Lock()
		all := l.all
		l.all = nil
		l.mu.Unlock()
		for _, f := range all {
			f()
		}
	})
}

type watchLost struct {
	sound
	asked int
}

func (l *watchLost) Watch(f func()) {
	if l.asked++; l.asked%7 != 0 {
		l.sound.Watch(f)
	}
}

type watchNever struct{ sound }

func (watchNever) Watch(func()) {}

// stageSilent takes its time to be established, and does not tell.
type stageSilent struct {
	watchNever
	asked int
}

func (l *stageSilent) Stage() (ports.Stage, error) {
	if l.asked++; l.asked == 1 {
		return ports.StageDialing, ports.ErrWouldBlock
	}
	return l.watchNever.Stage()
}

type parkDeaf struct{ soundParker }

func (parkDeaf) Interrupt() {}

// parkReads changes what Read returns.
type parkReads struct {
	soundParker
	result func(n int, err error) (int, error)
}

func (l parkReads) Read(p []byte) (int, error) { return l.result(l.soundParker.Read(p)) }

func resumed(l soundParker) ports.Link {
	return parkReads{l, func(n int, err error) (int, error) {
		if err == ports.ErrInterrupted {
			l.Resume()
		}
		return n, err
	}}
}

type parkLoses struct {
	soundParker
	lose bool
}

func (l *parkLoses) Read(p []byte) (int, error) {
	if l.lose {
		l.lose = false
		_, _ = l.soundParker.Read(make([]byte, 1))
	}
	n, err := l.soundParker.Read(p)
	l.lose = err == ports.ErrInterrupted
	return n, err
}

type parkHalf struct{ soundParker }

func (l parkHalf) Write(p []byte) (int, error) { return l.soundParker.Write(p[:(len(p)+1)/2]) }

type parkMiscounts struct{ soundParker }

func (l parkMiscounts) Write(p []byte) (int, error) {
	n, err := l.soundParker.Write(p)
	if err != nil && n < len(p)-1 {
		n++
	}
	return n, err
}

type parkNoClose struct{ soundParker }

func (parkNoClose) Close() error { return nil }

type parkEOF struct {
	soundParker
	got int
}

func (l *parkEOF) Read(p []byte) (int, error) {
	if l.got > 200_000 {
		return 0, io.EOF
	}
	n, err := l.soundParker.Read(p)
	l.got += n
	return n, err
}

type checkEnds struct{ soundParker }

func (checkEnds) Check() error { return io.EOF }

// checkTakes loses the next byte for each time that it looked.
type checkTakes struct {
	soundParker
	mu     sync.Mutex
	looked bool
}

func (l *checkTakes) Check() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.looked = true
	return nil
}

func (l *checkTakes) Read(p []byte) (int, error) {
	n, err := l.soundParker.Read(p)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.looked && n > 0 {
		l.looked = false
		n = copy(p, p[1:n])
	}
	return n, err
}

type checkWaits struct{ soundParker }

func (l checkWaits) Check() error {
	_, err := l.soundParker.Read(make([]byte, 1))
	return err
}
