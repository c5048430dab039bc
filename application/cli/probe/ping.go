package probe

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"brokerconn/application/broker"
)

func (a *app) ping() *cobra.Command {
	var count int
	var interval time.Duration
	c := a.command(&cobra.Command{
		Use: "ping HOST:PORT", Short: "Measure round trips to a broker",
		Long: `ping repeatedly asks the broker for its API versions over one connection and prints
the time that each answer took, without the time to connect. A ping is lost if the
connection is lost; the next ping connects again.

The exit code is 0 if every ping was answered, 1 if some were, otherwise that of the
last failure; 130 if it was interrupted. The summary is always printed.`,
		Example: `  kafkaprobe ping localhost:9092
  kafkaprobe ping localhost:9092 -c 0 -i 200ms       # until ^C
  kafkaprobe ping localhost:9092 -c 1 --timeout 2s   # as a health check`,
	}, func(ctx context.Context, args []string) error {
		if count < 0 || interval < 0 {
			return usagef("-c and -i cannot be negative")
		}
		cfg, err := a.config(args[0])
		if err != nil {
			return err
		}
		// So that a connection that died silently is closed with the first ping that is lost
		// on it.
		cfg.RequestTimeout = min(cfg.RequestTimeout, a.timeout)
		p := &pinger{app: a, address: args[0], cfg: cfg}
		hooks := *cfg.Hooks
		hooks.StateChanged = p.stateChanged
		cfg.Hooks = &hooks
		if p.conn, err = broker.NewConn(cfg); err != nil {
			return refused(err)
		}
		defer p.conn.Close()
		return p.run(ctx, count, interval)
	})
	c.Flags().IntVarP(&count, "count", "c", 4, "number of pings; 0: until interrupted")
	c.Flags().DurationVarP(&interval, "interval", "i", time.Second, "pause between two pings")
	return c
}

// pinger is one run of ping.
type pinger struct {
	app     *app
	address string
	cfg     broker.Config
	conn    *broker.Conn
	// cancel ends the ping in progress, with a cause.
	cancel atomic.Pointer[context.CancelCauseFunc]

	sent    int
	last    error // of the last lost ping
	elapsed []time.Duration
}

// stateChanged is the hook. A request waits while the connection is retried; a ping ends
// when every address has failed.
func (p *pinger) stateChanged(from, to broker.State, endpoint broker.Endpoint, err error) {
	p.app.progress.stateChanged(from, to, endpoint, err)
	cancel := p.cancel.Load()
	if to == broker.Disconnected && err != nil && cancel != nil && !p.conn.Stats().BackoffUntil.IsZero() {
		(*cancel)(err)
	}
}

func (p *pinger) run(ctx context.Context, count int, interval time.Duration) error {
	for ctx.Err() == nil {
		rtt, version, err := p.once(ctx)
		if ctx.Err() != nil {
			break // interrupted, not lost
		}
		p.sent++
		if err != nil {
			p.last = err
		} else {
			p.elapsed = append(p.elapsed, rtt)
		}
		if err := p.report(rtt, version, err); err != nil {
			return err
		}
		if p.sent == count {
			break
		}
		p.app.progress.waitFor("")
		select {
		case <-time.After(interval):
		case <-ctx.Done():
		}
	}
	return p.summary(ctx.Err() != nil)
}

// once is one ping.
func (p *pinger) once(ctx context.Context) (rtt time.Duration, version int16, err error) {
	ctx, cancel := p.app.limited(ctx)
	defer cancel()
	attempt, cancelAttempt := context.WithCancelCause(ctx)
	defer cancelAttempt(nil)
	p.cancel.Store(&cancelAttempt)
	defer p.cancel.Store(nil)

	versions, err := p.conn.APIVersions(attempt)
	if err != nil {
		return 0, 0, p.lost(ctx, attempt, err)
	}
	p.app.progress.waitFor("waiting for the answer of " + p.conn.Stats().Address)
	if rtt, err = broker.Ping(attempt, p.conn); err != nil {
		return 0, 0, p.lost(ctx, attempt, err)
	}
	return rtt, max(versions.RequestVersion(), 0), nil
}

// lost returns the error of a lost ping.
func (p *pinger) lost(ctx, attempt context.Context, err error) error {
	if cause := context.Cause(attempt); ctx.Err() == nil && cause != nil {
		err = cause // from stateChanged
	}
	if len(p.elapsed) == 0 {
		err = p.app.wantsLogin(ctx, p.cfg, err)
	}
	return p.app.identify(ctx, err)
}

// pingDocument is one ping as JSON.
type pingDocument struct {
	Seq     int        `json:"seq"`
	Address string     `json:"address,omitempty"`
	Version *int16     `json:"version,omitempty"`
	Millis  *float64   `json:"ms,omitempty"`
	Error   *errorInfo `json:"error,omitempty"`
}

func (p *pinger) report(rtt time.Duration, version int16, err error) error {
	doc := pingDocument{Seq: p.sent, Address: p.conn.Stats().Address, Error: describe(err)}
	if err != nil {
		return p.app.emit(doc, fmt.Sprintf("seq=%d lost: %s\n", p.sent, oneLine(err.Error())))
	}
	ms := millis(rtt)
	doc.Version, doc.Millis = &version, &ms
	return p.app.emit(doc, fmt.Sprintf("%s: ApiVersions v%d seq=%d time=%.3f ms\n",
		oneLine(doc.Address), version, p.sent, ms))
}

// pingSummary is the last line as JSON. The times are those of the answered pings.
type pingSummary struct {
	Broker      string  `json:"broker"`
	Sent        int     `json:"sent"`
	Answered    int     `json:"answered"`
	Lost        int     `json:"lost"`
	Reconnects  int     `json:"reconnects"`
	Interrupted bool    `json:"interrupted"`
	Min         float64 `json:"min_ms,omitempty"`
	Avg         float64 `json:"avg_ms,omitempty"`
	Max         float64 `json:"max_ms,omitempty"`
	P99         float64 `json:"p99_ms,omitempty"`
}

type pingSummaryDocument struct {
	Summary pingSummary `json:"summary"`
	Error   *errorInfo  `json:"error,omitempty"`
}

// summary writes the last line and returns the error of the command.
func (p *pinger) summary(interrupted bool) error {
	s := pingSummary{
		Broker: p.address, Sent: p.sent, Answered: len(p.elapsed), Lost: p.sent - len(p.elapsed),
		Reconnects: max(int(p.conn.Stats().Ready)-1, 0), Interrupted: interrupted,
	}
	text := fmt.Sprintf("--- %s: %d sent, %d answered, %d lost, %d reconnects\n",
		p.address, s.Sent, s.Answered, s.Lost, s.Reconnects)
	if len(p.elapsed) > 0 {
		slices.Sort(p.elapsed)
		var sum time.Duration
		for _, d := range p.elapsed {
			sum += d
		}
		s.Min, s.Avg = millis(p.elapsed[0]), millis(sum/time.Duration(len(p.elapsed)))
		s.Max, s.P99 = millis(p.elapsed[len(p.elapsed)-1]), millis(percentile(p.elapsed, 99))
		text += fmt.Sprintf("round trip min/avg/max/p99 = %.3f/%.3f/%.3f/%.3f ms\n", s.Min, s.Avg, s.Max, s.P99)
	}
	var outcome error
	switch {
	case interrupted:
		outcome = errInterrupted
	case s.Answered == 0:
		outcome = p.last
	case s.Lost > 0:
		outcome = &lostPings{s.Lost, s.Sent, p.last}
	}
	return cmp.Or(p.app.emit(pingSummaryDocument{s, describe(outcome)}, text), outcome)
}

// lostPings is the error of pings of which some were answered. It wraps no error, so that its
// exit code is exitFailed.
type lostPings struct {
	lost, sent int
	last       error
}

func (e *lostPings) Error() string {
	return fmt.Sprintf("%d of %d pings were lost, the last of them: %v", e.lost, e.sent, e.last)
}

// Hint returns the hint of the last one.
func (e *lostPings) Hint() string { return hintOf(e.last) }

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// percentile returns the smallest of the sorted times that p per cent of them do not
// exceed.
func percentile(sorted []time.Duration, p int) time.Duration {
	return sorted[(len(sorted)*p+99)/100-1]
}
