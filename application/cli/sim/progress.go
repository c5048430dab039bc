package sim

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
)

// progress shows how far a campaign is: on a terminal as one line that is overwritten, elsewhere
// as a line on standard error now and then. With --json it shows nothing.
type progress struct {
	quit  chan struct{}
	wg    sync.WaitGroup
	width int // of the line on the terminal
}

// seldom is how often a line is written if standard error is not a terminal, as a multiple of the
// time on a terminal.
const seldom = 10

func (c *campaign) show(cmd *cobra.Command, began time.Time) *progress {
	p := &progress{quit: make(chan struct{})}
	if asJSON(cmd) {
		return p
	}
	every := c.every
	if c.terminal == nil {
		every *= seldom
	}
	p.wg.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-p.quit:
				c.wipe(p)
				return
			case <-tick.C:
			}
			line := c.progress(time.Since(began))
			if c.terminal == nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "kafkaprobe: %s\n", line)
				continue
			}
			c.wipe(p)
			p.width = len(line)
			fmt.Fprint(c.terminal, line)
		}
	})
	return p
}

// wipe uses no escape sequences, which some consoles do not support.
func (c *campaign) wipe(p *progress) {
	if p.width > 0 {
		fmt.Fprint(c.terminal, "\r"+strings.Repeat(" ", p.width)+"\r")
		p.width = 0
	}
}

func (p *progress) end() {
	close(p.quit)
	p.wg.Wait()
}

// progress is the line: seeds, rate, and the time that is left.
func (c *campaign) progress(spent time.Duration) string {
	done := c.done.Load()
	rate := float64(done) / max(spent.Seconds(), 1e-3)
	text := fmt.Sprintf("%d seeds, %.0f/s", done, rate)
	left, limited := c.limit-spent, c.limit > 0
	if bySeeds := float64(c.seeds-done) / max(rate, 1e-3); !limited || bySeeds < left.Seconds() {
		left = time.Duration(min(bySeeds, 1e9) * float64(time.Second))
	}
	return fmt.Sprintf("%s, %v left", text, max(left, 0).Round(time.Second))
}
