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

// progressEvery is how long a wait lasts before it is shown, and how often it is shown.
const progressEvery = time.Second

// progress shows what a command waits for, on one line of a terminal that is overwritten
// and finally wiped. The zero progress shows nothing: if standard error is not a terminal, the
// lines would remain and look like errors.
type progress struct {
	w    io.Writer
	quit chan struct{}
	wg   sync.WaitGroup

	mu    sync.Mutex
	what  string    // that is waited for; "": nothing
	since time.Time // when the wait began
	width int       // of the line on the terminal
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// start shows the progress on w from now on.
func (p *progress) start(w io.Writer, every time.Duration) {
	p.w, p.quit = w, make(chan struct{})
	p.wg.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.show(every)
			case <-p.quit:
				return
			}
		}
	})
}

// waitFor sets what the command waits for from now on; "": nothing.
func (p *progress) waitFor(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if what != p.what {
		p.what, p.since = what, time.Now()
	}
	p.wipe()
}

// clear wipes the line before other output.
func (p *progress) clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wipe()
}

// end stops the progress and wipes the line.
func (p *progress) end() {
	if p.quit == nil {
		return
	}
	close(p.quit)
	p.wg.Wait()
	p.clear()
}

func (p *progress) show(after time.Duration) {
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

// wipe uses no escape sequences, which some consoles do not support.
func (p *progress) wipe() {
	if p.width > 0 {
		fmt.Fprint(p.w, "\r"+strings.Repeat(" ", p.width)+"\r")
		p.width = 0
	}
}

// stateChanged is the hook. It shows the state of a connection.
func (p *progress) stateChanged(_, to broker.State, endpoint broker.Endpoint, _ error) {
	p.waitFor(strings.ReplaceAll(stateWaits[to], "ADDRESS", endpoint.Address))
}

// stateWaits is what a command waits for in each state.
var stateWaits = map[broker.State]string{
	broker.Connecting:          "connecting",
	broker.Handshake:           "TLS handshake with ADDRESS",
	broker.NegotiatingVersions: "asking ADDRESS for its API versions",
	broker.Authenticating:      "logging in at ADDRESS",
	broker.Connected:           "waiting for the answer of ADDRESS",
	broker.Disconnected:        "waiting to connect again",
}
