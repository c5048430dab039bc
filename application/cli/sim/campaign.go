package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	"github.com/spf13/cobra"

	engine "brokerconn/application/sim"
)

// campaign runs seeds until one fails.
type campaign struct {
	seeds, from uint64
	limit       time.Duration
	parallel    int
	terminal    io.Writer
	every       time.Duration // how often the progress is shown on a terminal
	generate    func(seed uint64) engine.Plan

	mu     sync.Mutex
	next   uint64 // the next seed
	left   uint64 // seeds that are not begun
	failed bool
	seed   uint64 // the first that failed
	first  *engine.Failure
	done   uint64 // seeds
	sums   struct{ steps, requests, faults uint64 }
}

// most is the limit of --parallel.
const most = 1024

// validate checks the flags.
func (c *campaign) validate(seedsGiven bool) error {
	switch {
	case c.limit < 0:
		return fmt.Errorf("--for %v: must not be negative", c.limit)
	case c.parallel < 1 || c.parallel > most:
		return fmt.Errorf("--parallel %d: must be from 1 to %d", c.parallel, most)
	case c.limit > 0 && !seedsGiven:
		c.seeds = math.MaxUint64
	case c.seeds == 0:
		return errors.New("--seeds 0: must be at least 1")
	}
	if above := math.MaxUint64 - c.from; c.seeds > above { // the last seed is included
		c.seeds = above + min(1, c.from)
	}
	return nil
}

// take returns the next seed, unless enough is known.
func (c *campaign) take(ctx context.Context) (seed uint64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left == 0 || c.failed || ctx.Err() != nil {
		return 0, false
	}
	c.left--
	c.next++
	return c.next - 1, true
}

// ran is the result of a seed. Of several that fail, the first one counts: all before it are run.
func (c *campaign) ran(seed uint64, r engine.Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Failure != nil && (!c.failed || seed < c.seed) {
		c.failed, c.seed, c.first = true, seed, r.Failure
	}
	c.done++
	c.sums.steps += uint64(r.Steps)
	c.sums.requests += uint64(r.Requests)
	c.sums.faults += uint64(r.Faults)
}

// campaignDocument is the answer of sim.
type campaignDocument struct {
	OK       bool           `json:"ok"`
	From     uint64         `json:"from"`
	Seeds    uint64         `json:"seeds"` // that were run
	Seconds  float64        `json:"seconds"`
	Steps    uint64         `json:"steps"`
	Requests uint64         `json:"requests"`
	Faults   uint64         `json:"faults"`
	Failure  *failureReport `json:"failure,omitempty"`
	Stopped  string         `json:"stopped,omitempty"` // why it ended too early
}

func (c *campaign) run(cmd *cobra.Command) error {
	began := time.Now()
	c.next, c.left = c.from, c.seeds
	ctx, cancel := cmd.Context(), context.CancelFunc(func() {})
	if c.limit > 0 {
		ctx, cancel = context.WithTimeout(ctx, c.limit)
	}
	defer cancel()
	show := c.show(cmd, began)
	var workers sync.WaitGroup
	for range c.parallel {
		workers.Go(func() {
			for seed, ok := c.take(ctx); ok; seed, ok = c.take(ctx) {
				c.ran(seed, engine.Run(c.generate(seed)))
			}
		})
	}
	workers.Wait()
	show.end()
	doc := campaignDocument{c.first == nil, c.from, c.done, time.Since(began).Seconds(),
		c.sums.steps, c.sums.requests, c.sums.faults, nil, ""}
	switch {
	case c.first != nil:
		return c.explain(cmd, doc)
	case cmd.Context().Err() != nil:
		err := context.Cause(cmd.Context())
		doc.OK, doc.Stopped = false, err.Error()
		return errors.Join(failed(cmd, err), answer(cmd, doc, doc.text()))
	}
	return answer(cmd, doc, doc.text()+"every invariant holds\n")
}

func (d campaignDocument) text() string {
	n := max(float64(d.Seeds), 1)
	return fmt.Sprintf("%d seeds from %d, %.1f s, %.0f seeds/s; on average %.0f steps, %.0f requests and %.1f faults\n",
		d.Seeds, d.From, d.Seconds, float64(d.Seeds)/max(d.Seconds, 1e-3),
		float64(d.Steps)/n, float64(d.Requests)/n, float64(d.Faults)/n)
}

// explain is the answer when a seed has failed: its shortest plan, and the story of that.
func (c *campaign) explain(cmd *cobra.Command, doc campaignDocument) error {
	report, err := await(cmd.Context(), func() *failureReport {
		return newFailureReport(engine.Shrink(c.generate(c.seed)), c.first)
	})
	if err != nil {
		report = &failureReport{Invariant: c.first.Invariant, At: c.first.At.String(), Text: c.first.Text}
	}
	report.Seed = c.seed
	report.Reproduce = fmt.Sprintf("kafkaprobe sim --from %d --seeds 1", c.seed)
	doc.Failure = report
	text := fmt.Sprintf("seed %d: %v\nreproduce: %s\n", c.seed, c.first, report.Reproduce)
	if err == nil {
		text += fmt.Sprintf("\nthe shortest plan that fails so:\n\n%s\nwhat happens in it: %s",
			report.Plan, report.Chart)
	}
	return errors.Join(failed(cmd, fmt.Errorf("seed %d: %w", c.seed, c.first)), answer(cmd, doc, text), err)
}
