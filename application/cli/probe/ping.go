package probe

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
)

func (a *app) ping() *cobra.Command {
	var count int
	var interval time.Duration
	c := a.command(&cobra.Command{
		Use:   "ping HOST:PORT",
		Short: "Measure round trips to a broker",
		Long: `ping asks the broker for its API versions again and again over one connection and
tells how long each answer took. Connecting is not counted. A lost connection is
made again: that ping is lost, and the next ones go on.

Exit code 0 if every ping was answered, 1 if some were, otherwise that of the
last failure; 130 if it was interrupted. The summary comes in any case.`,
		Example: `  kafkaprobe ping localhost:9092
  kafkaprobe ping localhost:9092 -c 0 -i 200ms       # until ^C
  kafkaprobe ping localhost:9092 -c 1 --timeout 2s   # as a probe of health`,
	}, func(ctx context.Context, args []string) error {
		if count < 0 || interval < 0 {
			return usagef("-c and -i cannot be negative")
		}
		p, err := a.newPinger(args[0])
		if err != nil {
			return err
		}
		defer p.conn.Close()
		return p.run(ctx, count, interval)
	})
	c.Flags().IntVarP(&count, "count", "c", 4, "how many pings; 0: until interrupted")
	c.Flags().DurationVarP(&interval, "interval", "i", time.Second, "pause between two pings")
	return c
}

// pinger is one connection being pinged.
type pinger struct {
	app      *app
	address  string
	conn     *broker.Conn
	connects atomic.Int32
	// giveUp ends the ping under way, with a cause.
	giveUp atomic.Pointer[context.CancelCauseFunc]

	sent    int
	last    error // of the last lost ping
	elapsed []time.Duration
}

func (a *app) newPinger(address string) (*pinger, error) {
	cfg, err := a.config(address)
	if err != nil {
		return nil, err
	}
	// A connection that died without a word is dropped with the first ping that is
	// lost on it.
	cfg.RequestTimeout = min(cfg.RequestTimeout, a.timeout)
	p := &pinger{app: a, address: address}
	tell := cfg.Hooks.StateChanged
	cfg.Hooks.StateChanged = func(from, to broker.State, endpoint broker.Endpoint, err error) {
		tell(from, to, endpoint, err)
		p.changed(to, err)
	}
	p.conn, err = broker.NewConn(cfg)
	return p, refused(err)
}

// changed is the hook. A request waits in line while the connection is made again
// and again, which is what requests want; a ping wants to be told that every
// address has failed.
func (p *pinger) changed(to broker.State, err error) {
	switch to {
	case broker.Connected:
		p.connects.Add(1)
	case broker.Disconnected:
		if giveUp := p.giveUp.Load(); err != nil && giveUp != nil && !p.conn.Stats().BackoffUntil.IsZero() {
			(*giveUp)(err)
		}
	}
}

func (p *pinger) run(ctx context.Context, count int, interval time.Duration) error {
	for {
		rtt, version, err := p.once(ctx)
		if ctx.Err() != nil {
			break // not lost: interrupted
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
			continue
		case <-ctx.Done():
		}
		break
	}
	return p.summary(ctx.Err() != nil)
}

// once is one ping.
func (p *pinger) once(ctx context.Context) (rtt time.Duration, version int16, err error) {
	ctx, cancel := p.app.limited(ctx)
	defer cancel()
	attempt, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	p.giveUp.Store(&giveUp)
	defer p.giveUp.Store(nil)

	if err := p.conn.Connect(attempt); err != nil {
		return 0, 0, p.lost(ctx, attempt, err)
	}
	p.app.progress.waitFor("waiting for the answer of " + p.conn.Stats().Address)
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = name, broker.Version
	began := time.Now()
	resp, err := req.RequestWith(attempt, p.conn)
	rtt = time.Since(began)
	if err != nil {
		return 0, 0, p.lost(ctx, attempt, err)
	}
	return rtt, resp.GetVersion(), answerErrors(resp)
}

// lost tells why a ping was lost.
func (p *pinger) lost(ctx, attempt context.Context, err error) error {
	if cause := context.Cause(attempt); ctx.Err() == nil && cause != nil {
		err = cause // of changed
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
	return p.app.emit(doc, fmt.Sprintf("%s: ApiVersions v%d seq=%d time=%.3f ms\n", doc.Address, version, p.sent, ms))
}

// pingSummary is the last line as JSON. The times are of the answered pings.
type pingSummary struct {
	Broker      string   `json:"broker"`
	Sent        int      `json:"sent"`
	Answered    int      `json:"answered"`
	Lost        int      `json:"lost"`
	Reconnects  int      `json:"reconnects"`
	Interrupted bool     `json:"interrupted"`
	Min         *float64 `json:"min_ms,omitempty"`
	Avg         *float64 `json:"avg_ms,omitempty"`
	Max         *float64 `json:"max_ms,omitempty"`
	P99         *float64 `json:"p99_ms,omitempty"`
}

type pingSummaryDocument struct {
	Summary pingSummary `json:"summary"`
	Error   *errorInfo  `json:"error,omitempty"`
}

// summary writes the last line and returns how it all ended.
func (p *pinger) summary(interrupted bool) error {
	s := pingSummary{
		Broker:      p.address,
		Sent:        p.sent,
		Answered:    len(p.elapsed),
		Lost:        p.sent - len(p.elapsed),
		Reconnects:  max(int(p.connects.Load())-1, 0),
		Interrupted: interrupted,
	}
	text := fmt.Sprintf("--- %s: %d sent, %d answered, %d lost, %d reconnects\n",
		p.address, s.Sent, s.Answered, s.Lost, s.Reconnects)
	if len(p.elapsed) > 0 {
		slices.Sort(p.elapsed)
		var sum time.Duration
		for _, d := range p.elapsed {
			sum += d
		}
		least, average := millis(p.elapsed[0]), millis(sum/time.Duration(len(p.elapsed)))
		most, p99 := millis(p.elapsed[len(p.elapsed)-1]), millis(percentile(p.elapsed, 99))
		s.Min, s.Avg, s.Max, s.P99 = &least, &average, &most, &p99
		text += fmt.Sprintf("round trip min/avg/max/p99 = %.3f/%.3f/%.3f/%.3f ms\n", least, average, most, p99)
	}
	var outcome error
	switch {
	case interrupted:
		outcome = errInterrupted
	case s.Answered == 0:
		outcome = p.last
	case s.Lost > 0:
		outcome = checkf(p.last, "%d of %d pings were lost, the last of them", s.Lost, s.Sent)
	}
	if err := p.app.emit(pingSummaryDocument{s, describe(outcome)}, text); err != nil {
		return err
	}
	return outcome
}
