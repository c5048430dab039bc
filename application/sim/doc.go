// Package sim runs one connection, a domain.Connection or a broker.Polled, against model brokers in
// a simulated world, exactly: on one goroutine, in virtual time, with the same bytes on every
// machine. It finds defects by seeds, and keeps each as a plan that is replayed.
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
// A step is one event given to the connection, which then works until it is idle. At the end all
// faults are over, and the connection has to answer a request within the time that its settings
// allow. After each step these invariants hold, or the run ends with a [Failure] that names one:
//
//   - "once": a request completes once, and one that was canceled never does.
//   - "its own response": a response has the bytes of its request.
//   - "admitted as said": a request is admitted if CanSend says so.
//   - "in order": requests are received, and answered, in the order in which they were sent.
//   - "sent as said": what is reported as not or partly sent was not received whole.
//   - "after the login": nothing of the owner is received before a login or within one.
//   - "window": no more requests wait for a response than the limit.
//   - "states": each change begins in the state in which the last one ended.
//   - "one link": there is one link at a time.
//   - "backoff": attempts in a row leave room for the pauses between them.
//   - "balance": the events of the metrics sink balance.
//   - "no older": a broker that once answered ApiVersions is not taken for one before 0.10, nor
//     one that was not asked again on the connection on which it answered a probe.
//   - "goes on": time passes.
//   - "no panic": no panic is the answer to what a peer does.
//   - "ends well": without faults the connection answers a request in time, and a closed one has
//     nothing left.
package sim
