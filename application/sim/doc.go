// Package sim runs one connection against model brokers in a simulated world, exactly: on one
// goroutine, in virtual time, with the same bytes on every machine. It finds defects of the core
// by seeds, and keeps each as a plan that is replayed.
//
//	plan := sim.Generate(7)      // what happens, drawn from a seed
//	result := sim.Run(plan)      // the trace, and what was wrong
//	if result.Failure != nil {
//		fmt.Println(sim.Shrink(plan)) // the least of it that still goes wrong
//	}
//
// A [Plan] is text, one operation or fault a line, and everything that a run depends on: it can be
// read, edited, kept and replayed. Generate draws for each seed which kinds of faults there
// are and how frequent they are, since a run in which everything is rare finds less than one in
// which a few things are not.
//
// After each step the invariants of check.go hold, or the run ends with a [Failure]. A step is one
// event given to the connection, which then works until it is idle. At the end all faults are
// over, and the connection has to answer a request within the time that its settings allow.
package sim
