package probe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
)

// The demonstration runs everything that one connection does against franz-go's fake
// broker in this process, and checks and times each step. The connection has the default
// configuration.

const (
	demoTopic    = "kafkaprobe-demo"
	demoRequests = 10_000
	// demoInFlight is the default of Config.MaxInFlight, and the number of goroutines
	// that share the connection.
	demoInFlight = 5
	// demoRequestTimeout limits the request that must fail while the broker is down.
	demoRequestTimeout = 150 * time.Millisecond
)

func (a *app) demo() *cobra.Command {
	return a.command(&cobra.Command{
		Use: "demo", Short: "Run and check everything against a fake broker in this process",
		Long: `demo starts a fake broker in this process, on a loopback port, and uses one connection
to it: connects, creates a topic, produces a record, fetches it back, sends 10,000
pipelined requests and checks every answer, and continues with the same connection after
a restart of the broker. Each step is printed with the time that it took. The exit code
is 0 only if every step succeeded.`,
		Example: `  kafkaprobe demo
  kafkaprobe demo --json | jq .steps`,
	}, func(ctx context.Context, args []string) error {
		run := (&demonstration{app: a, began: time.Now(), doc: demoDocument{OK: true}}).run
		if a.timed {
			run = a.withTimeout(run)
		}
		return run(ctx, args)
	})
}

type demonstration struct {
	app     *app
	began   time.Time
	doc     demoDocument
	cluster *kfake.Cluster
	host    string
	port    uint16
	conn    *broker.Conn
	setup   setupLog
	topic   kmsg.CreateTopicsResponseTopic
	batch   []byte // as produced
}

type demoDocument struct {
	OK    bool       `json:"ok"`
	Steps []demoStep `json:"steps"`
	Error *errorInfo `json:"error,omitempty"`
}

type demoStep struct {
	Name   string  `json:"name"`
	Millis float64 `json:"ms"`
	Detail string  `json:"detail"`
}

func (d *demonstration) run(ctx context.Context, _ []string) error {
	defer d.stop()
	steps := []struct {
		name string
		do   func(context.Context) (detail string, err error)
	}{
		{"broker", d.startBroker}, {"connect", d.connect}, {"metadata", d.metadata}, {"create topic", d.createTopic},
		{"produce", d.produce}, {"fetch", d.fetch}, {"pipeline", d.pipeline}, {"restart", d.restart},
	}
	for _, s := range steps {
		d.app.progress.waitFor(s.name)
		began := time.Now()
		detail, err := s.do(ctx)
		if err != nil {
			return d.fail(ctx, s.name, err)
		}
		if err := d.report(demoStep{s.name, millis(time.Since(began)), detail}); err != nil {
			return err
		}
	}
	return d.app.emit(d.doc, fmt.Sprintf("all steps succeeded, in %v\n", time.Since(d.began).Round(time.Millisecond)))
}

// report records a step, and prints it at once unless the answer is JSON.
func (d *demonstration) report(step demoStep) error {
	d.doc.Steps = append(d.doc.Steps, step)
	if d.app.json {
		return nil
	}
	return d.app.emit(nil, fmt.Sprintf("%-13s %9.3f ms  %s\n", step.Name, step.Millis, oneLine(step.Detail)))
}

func (d *demonstration) fail(ctx context.Context, step string, err error) error {
	err = fmt.Errorf("the step %q failed: %v", step, err)
	if ctx.Err() != nil {
		err = fmt.Errorf("the step %q was interrupted: %w", step, context.Cause(ctx))
	}
	d.doc.OK, d.doc.Error = false, describe(err)
	return errors.Join(err, d.app.emit(d.doc, ""))
}

func (d *demonstration) stop() {
	if d.conn != nil {
		d.conn.Close()
	}
	if d.cluster != nil {
		d.cluster.Close()
	}
}

// setupLog records, by the hooks of a connection, how long each part of its first setup
// took, and when it was lost. The hooks of a connection are called one after the other, and
// the parts are read when it is ready.
type setupLog struct {
	lost chan struct{} // receives when the connection is lost

	partBegan time.Time
	parts     []demoStep
	connected bool
}

func (l *setupLog) hooks() *broker.Hooks {
	return &broker.Hooks{
		ResolveStart: func(string, uint16) { l.start() },
		ResolveDone: func(endpoints []broker.Endpoint, err error) {
			l.end("resolve", fmt.Sprintf("%d address(es)", len(endpoints)), err)
		},
		DialStart: func(broker.Endpoint) { l.start() },
		DialDone:  func(e broker.Endpoint, err error) { l.end("dial", e.Network+" "+e.Address, err) },
		Versions: func(_ broker.Endpoint, v *broker.Versions) {
			l.end("versions", fmt.Sprintf("ApiVersions v%d answered", v.RequestVersion()), nil)
		},
		StateChanged: func(_, to broker.State, _ broker.Endpoint, _ error) {
			l.connected = l.connected || to == broker.Connected
			if to == broker.Disconnected {
				select {
				case l.lost <- struct{}{}:
				default:
				}
			}
		},
	}
}

func (l *setupLog) start() { l.partBegan = time.Now() }

// end records a part, and starts the next. Later connections and failures are not
// recorded.
func (l *setupLog) end(name, detail string, err error) {
	if l.connected || err != nil {
		return
	}
	now := time.Now()
	l.parts = append(l.parts, demoStep{name, millis(now.Sub(l.partBegan)), detail})
	l.partBegan = now
}
