package simtest

import (
	"runtime"
	"sync"

	"brokerconn/adapters/simulation"
	"brokerconn/adapters/simulation/model"
)

// What the runs of a process share: processors and memory.

var processors struct {
	sync.Mutex
	runs, before int
}

// oneAtATime makes the process run one goroutine at a time until undo is called, so that those that become
// ready at the same instant nearly always run in the same order. Several processors would only keep each other
// awake: the goroutines of a bubble take turns.
func oneAtATime() (undo func()) {
	processors.Lock()
	defer processors.Unlock()
	if processors.runs++; processors.runs == 1 {
		processors.before = runtime.GOMAXPROCS(1)
	}
	return func() {
		processors.Lock()
		defer processors.Unlock()
		if processors.runs--; processors.runs == 0 {
			runtime.GOMAXPROCS(processors.before)
		}
	}
}

// alone reports whether the process has one run at a time, and one processor.
func alone() bool {
	processors.Lock()
	defer processors.Unlock()
	return processors.runs == 1 && !raceDetector
}

// reserve is memory that nothing writes to, which takes none of the system's: with it the garbage
// collector runs each 64 MiB or more, and not after every few seeds, which need little. It took a
// sixth of their time.
var reserve = sync.OnceValue(func() []byte { return make([]byte, 32<<20) })

// memory is what runs use one after the other, two at a time. What was in it is not read any more.
type memory struct {
	entries []entry
	passed  []passed
	net     *simulation.Network
	models  []*model.Broker
}

// firstEntries is the room that a journal and a record of the traffic begin with: enough for most runs.
const firstEntries = 256

// memory returns that of a run that nothing belongs to any more.
func (w *World) memory() memory {
	m := memory{entries: w.entries, passed: w.passed, net: w.net}
	clear(m.entries)
	for _, n := range w.nodes {
		m.models = append(m.models, n.model)
	}
	return m
}
