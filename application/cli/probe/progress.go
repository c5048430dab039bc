package probe

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"brokerconn/application/broker"
)

// progressEvery is how long a wait may last untold, and how often it is told.
const progressEvery = time.Second

// progress tells on one line of a terminal, written over and over and wiped in
// the end, what a command waits for. A nil progress tells nobody: when standard
// error is no terminal the lines would stay, and be taken for errors.
type progress struct {
	w    io.Writer
	quit chan struct{}
	gone chan struct{}

	mu    sync.Mutex
	what  string    // waited for; "": nothing
	since time.Time // when that began
	width int       // of the line that is there
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func startProgress(w io.Writer, every time.Duration) *progress {
	p := &progress{w: w, quit: make(chan struct{}), gone: make(chan struct{})}
	go func() {
		defer close(p.gone)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.tell(every)
			case <-p.quit:
				return
			}
		}
	}()
	return p
}

// waitFor says what the command waits for from now on; "" for nothing.
func (p *progress) waitFor(what string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if what != p.what {
		p.what, p.since = what, time.Now()
	}
	p.wipe()
}

// clear wipes the line, before something else is written.
func (p *progress) clear() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wipe()
}

// end wipes the line for good.
func (p *progress) end() {
	if p == nil {
		return
	}
	close(p.quit)
	<-p.gone
	p.clear()
}

func (p *progress) tell(after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	waited := time.Since(p.since)
	if p.what == "" || waited < after {
		return
	}
	p.wipe()
	line := fmt.Sprintf("%s: %s, %v so far", name, p.what, waited.Truncate(after))
	p.width = len(line)
	fmt.Fprint(p.w, line)
}

// wipe works without escape sequences, which not every console knows.
func (p *progress) wipe() {
	if p.width > 0 {
		fmt.Fprint(p.w, "\r"+strings.Repeat(" ", p.width)+"\r")
		p.width = 0
	}
}

// follow tells of the moves of a connection.
func (p *progress) follow(to broker.State, endpoint broker.Endpoint) {
	switch to {
	case broker.Connecting:
		p.waitFor("connecting")
	case broker.Handshake:
		p.waitFor("TLS handshake with " + endpoint.Address)
	case broker.NegotiatingVersions:
		p.waitFor("asking " + endpoint.Address + " for its API versions")
	case broker.Authenticating:
		p.waitFor("logging in at " + endpoint.Address)
	case broker.Connected:
		p.waitFor("waiting for the answer of " + endpoint.Address)
	case broker.Disconnected:
		p.waitFor("waiting to connect again")
	}
}
