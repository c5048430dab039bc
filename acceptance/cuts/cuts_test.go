package cuts

import (
	"flag"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brokerconn/application/sim"
)

var all = flag.Bool("cuts.all", false, "run each conversation with a broker.Polled too, and let each byte of TLS "+
	"have every kind of break, and not one of them in turn")

// TestCuts ends, delays and splits each conversation at each byte. With -v it prints how many there are.
func TestCuts(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(800))
	var bytes, runs atomic.Int64
	t.Run("all", func(t *testing.T) {
		for _, c := range conversations {
			for _, polled := range []bool{false, true} {
				if polled && !c.polled && !*all {
					continue
				}
				name := c.name
				if polled {
					name += ", polled"
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					e := newExperiment(t, c, polled)
					e.all()
					bytes.Add(int64(e.bytes))
					runs.Add(int64(e.runs))
				})
			}
		}
	})
	t.Logf("%d conversations, %d bytes, %d runs", len(conversations), bytes.Load(), runs.Load())
}

// experiment is the runs of one conversation.
type experiment struct {
	t           *testing.T
	c           conversation
	plan        sim.Plan
	clean, took *record // took: the link takes one byte at a time
	bytes, runs int
	wrong       map[string]int
}

// mostReports is how many failures of a kind are printed.
const mostReports = 2

func newExperiment(t *testing.T, c conversation, polled bool) *experiment {
	plan, err := sim.ParsePlan(c.setup + c.steps + end)
	if err != nil {
		t.Fatal(err)
	}
	plan.Setup.Polled = polled
	e := &experiment{t: t, c: c, plan: plan, wrong: map[string]int{}}
	e.clean, e.took = run(e.with(fault{})), run(e.with(fault{take: true}))
	c.settle(e.clean)
	c.settle(e.took)
	want := strings.Split(c.asks, "|")
	for i := range want {
		want[i] = strings.TrimSpace(want[i])
	}
	if got := e.clean.asks(); got != strings.Join(want, "|") {
		t.Errorf("got the requests %s, want %s", got, c.asks)
	}
	return e
}

// with returns the plan with a break.
func (e *experiment) with(f fault) sim.Plan {
	p := e.plan
	if p.Setup.Latency = time.Millisecond; f.take {
		p.Setup.Latency, p.Setup.Take = 0, 1
	}
	if p.Setup.Break = f.Break; f.Link > 0 { // a plan counts those of the broker
		p.Setup.Break.Link -= e.c.away
		p.Setup.Break.Last -= e.c.away
	}
	return p
}

// check runs a plan, and reports what is wrong.
func (e *experiment) check(kind string, p sim.Plan, validate func(*record) complaints) {
	e.runs++
	list := validate(run(p))
	if len(list) == 0 {
		return
	}
	if e.wrong[kind]++; e.wrong[kind] <= mostReports {
		e.t.Errorf("%s:\n\t%s\nplan:\n%s", kind, strings.Join(list, "\n\t"), p)
	}
}

// whole is all that two runs can have in common.
var whole = sameness{times: true, positions: true}

func (e *experiment) all() {
	single := e.with(fault{})
	single.Setup.Piece = 1
	e.check("single bytes", single, func(r *record) complaints { return whole.same(r, e.clean) })
	e.check("single bytes taken", e.with(fault{take: true}), func(r *record) complaints {
		as := sameness{positions: !e.c.old && e.c.away == 0} // some close the connection before they have all
		return as.same(r, e.clean)
	})
	for i := max(e.c.from, 1); i <= len(e.clean.links); i++ {
		for _, in := range []bool{true, false} {
			size := e.clean.links[i-1].of(in)
			e.bytes += size
			for at := i % stride; at <= size; at += stride {
				e.breaks(sim.Break{Link: i, Last: i, In: in, At: at}, at < size)
			}
		}
	}
	if e.c.probes() && e.c.away == 0 {
		e.several()
	}
	for kind, n := range e.wrong {
		e.t.Errorf("%d failures: %s", n, kind)
	}
}

// breaks runs the breaks at a byte.
func (e *experiment) breaks(b sim.Break, more bool) {
	for _, what := range []string{"fin", "reset"} {
		b.What = what
		f := fault{Break: b}
		e.check(what, e.with(f), func(r *record) complaints { return f.cutWants(r, e.clean, e.c) })
	}
	if !b.In {
		b.What = "fin"
		f := fault{Break: b, take: true}
		e.check("fin of a link that takes single bytes", e.with(f), func(r *record) complaints {
			return f.cutWants(r, e.took, e.c)
		})
	}
	b.What = ""
	if !more {
		return
	}
	e.check("in two pieces", e.with(fault{Break: b}), func(r *record) complaints { return whole.same(r, e.clean) })
	b.Late = 100 * time.Millisecond
	e.check("a little late", e.with(fault{Break: b}), func(r *record) complaints {
		return sameness{positions: true}.same(r, e.clean)
	})
	b.Late = 20 * time.Second
	f := fault{Break: b}
	e.check("later than any limit", e.with(f), func(r *record) complaints { return f.lateWants(r, e.clean, e.c) })
}

// mostEnds is how many connections in a row end: as many as there are probes, with those that ask, and one more.
const mostEnds = 7

// several ends several connections in a row at the same byte of the setup, as a forwarder does whose broker is away.
// Where each probe is answered like this, a broker that has a table must not be taken for one that has none.
func (e *experiment) several() {
	setup := e.clean.requests[0].begin
	for last := 2; last <= mostEnds; last++ {
		for _, in := range []bool{true, false} {
			for at := last % stride; at <= setup.of(in); at += stride {
				for _, what := range []string{"fin", "reset"} {
					f := fault{Break: sim.Break{Link: 1, Last: last, In: in, At: at, What: what}}
					e.check("several connections end", e.with(f), severalWants)
				}
			}
		}
	}
}
