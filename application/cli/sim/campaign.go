package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime/debug"
	"sync/atomic"
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
	every       time.Duration                 // how often the progress is shown on a terminal
	generate    func(seed uint64) engine.Plan // nil: that of engine.Campaign
	done        atomic.Uint64                 // seeds
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

// gcPercent lets about 100 MB of garbage gather, where little memory is in use: what a run leaves is garbage at its
// end. With Go's own 100 a campaign takes a sixth longer.
const gcPercent = 800

func (c *campaign) run(cmd *cobra.Command) error {
	began := time.Now()
	if os.Getenv("GOGC") == "" {
		defer debug.SetGCPercent(debug.SetGCPercent(gcPercent))
	}
	ctx, cancel := cmd.Context(), context.CancelFunc(func() {})
	if c.limit > 0 {
		ctx, cancel = context.WithTimeout(ctx, c.limit)
	}
	defer cancel()
	show := c.show(cmd, began)
	report := engine.Campaign{From: c.from, Seeds: c.seeds, Parallel: c.parallel, Generate: c.generate,
		Progress: c.done.Store}.Run(ctx)
	show.end()
	doc := campaignDocument{report.Failure == nil, c.from, report.Seeds, time.Since(began).Seconds(),
		report.Steps, report.Requests, report.Faults, nil, ""}
	switch {
	case report.Failure != nil:
		return c.explain(cmd, doc, report)
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
func (c *campaign) explain(cmd *cobra.Command, doc campaignDocument, found engine.Report) error {
	seed, failure := found.Failed, found.Failure
	report, err := await(cmd.Context(), func() *failureReport {
		plan := engine.Generate
		if c.generate != nil {
			plan = c.generate
		}
		return newFailureReport(engine.Shrink(plan(seed)), failure)
	})
	if err != nil {
		report = &failureReport{Invariant: failure.Invariant, At: failure.At.String(), Text: failure.Text}
	}
	report.Seed = seed
	report.Reproduce = fmt.Sprintf("kafkaprobe sim --from %d --seeds 1", seed)
	doc.Failure = report
	text := fmt.Sprintf("seed %d: %v\nreproduce: %s\n", seed, failure, report.Reproduce)
	if err == nil {
		text += fmt.Sprintf("\nthe shortest plan that fails so:\n\n%s\nwhat happens in it: %s",
			report.Plan, report.Chart)
	}
	return errors.Join(failed(cmd, fmt.Errorf("seed %d: %w", seed, failure)), answer(cmd, doc, text), err)
}
