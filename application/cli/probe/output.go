package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf16"

	"brokerconn/application/broker"
)

// shown is a writer whose text a terminal shows and does not interpret: "?" replaces every
// character that is not printable, but newline and tab. All output of a command passes
// through it, since any of it may quote a peer. Each write has whole characters.
type shown struct{ w io.Writer }

func (s shown) Write(p []byte) (int, error) {
	text := strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, string(p))
	if _, err := io.WriteString(s.w, text); err != nil {
		return 0, err
	}
	return len(p), nil
}

// emit writes the answer of a command: doc with --json, otherwise text.
func (a *app) emit(doc any, text string) error {
	a.progress.clear()
	if a.json {
		a.documented = true
		return writeJSON(a.stdout, doc)
	}
	_, err := io.WriteString(a.stdout, text)
	return err
}

// writeJSON writes one document, in one write.
func writeJSON(w io.Writer, doc any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, escaped(b.String()))
	return err
}

// escaped returns JSON without control characters. encoding/json does not escape DEL, the
// 8-bit control characters and those that change the writing direction. All of these are
// inside strings, except for the newlines between the members.
func escaped(doc string) string {
	var b strings.Builder
	for _, r := range doc {
		if r == '\n' || unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

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
	line := fmt.Sprintf("%s: %s, %v so far", name, oneLine(p.what), waited.Truncate(after))
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
