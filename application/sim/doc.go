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
//   - "its own response": a response has the bytes of its request, and none is dropped that is due.
//   - "admitted as said": a request is admitted if CanSend says so.
//   - "in order": requests are received, and answered, in the order in which they were sent.
//   - "sent as said": a request that failed is reported as fully sent if its frame was passed to the
//     link whole, and only then. One that expects no response completes behind that.
//   - "sent at once": what was admitted is passed to the link before the connection is idle, and before
//     a blocking Send returns, unless the link took less than it was given.
//   - "whole frames": what is passed to a link is the frames of requests, whole, in the order in which
//     they were admitted, with correlation ids that follow each other. Only the end of a link cuts one.
//   - "in time": no request is in flight behind its deadline, which a throttle time moves, and none
//     times out before it.
//   - "throttled": no request is admitted within a throttle time, which is bounded by MaxThrottle and
//     does not move back.
//   - "after the login": nothing of the owner is received before a login or within one.
//   - "window": no more requests wait for a response than the limit.
//   - "states": each change is one that may be, and begins in the state in which the last one ended.
//   - "one link": there is one link at a time.
//   - "no old link": none but the newest link is used, and none that was closed; a late call of
//     what watched one changes nothing.
//   - "backoff": the nth failure in a row is followed by a pause of base*2^(n-1), at most the longest
//     one, each a fifth more or less, and no attempt begins within it. An attempt without a pause is at
//     another address of the lookup, none of which has been ready, or at the same one for a reason that
//     its end has: ApiVersions at v0, a release that was detected, another mechanism, a session that
//     was not renewed. A row ends with an answer on a connection that was ready, behind the login if
//     there is one.
//   - "memory": of a peer that is not logged in there are at most 64 KiB of memory for bytes that have
//     not come, and then as much as came, or 4 MiB.
//   - "balance": the events of the metrics sink balance, and its bytes are those of the links.
//   - "no older": a broker that once answered ApiVersions is not taken for one before 0.10, nor one that
//     was not asked since a connection was lost, nor one that was not asked again on the connection on
//     which it answered a probe.
//   - "the release": CheckVersion reports the release of the broker that was asked, and an old one is
//     recognised as what it is. One before 0.10 may be taken for an older one if there was a fault.
//   - "negotiated": a message of the codec is sent in the highest version that both have, and is
//     refused only if they share no version.
//   - "the broker meant": no request of the owner is received by another broker than the one that the
//     settings name, if that can be compared.
//   - "kept open": no request is lost with a connection that its owner did not close and that did
//     not fail.
//   - "blamed": a connection fails with ErrProtocol only if there was a fault.
//   - "renewed": a session is renewed no sooner than a second after its last renewal began, and not
//     before a request was admitted that waited for that.
//   - "in session": a request is admitted within its session.
//   - "goes on": time passes.
//   - "no panic": nothing panics.
//   - "secret": no text shows a password, a key, a token or a proof.
//   - "verified": a peer that is not verified gets no secret if the settings forbid that, nor one
//     that another mechanism would have kept; and one that proved nothing gets nothing more.
//   - "confirmed": a refusal of a token in JSON is answered (RFC 7628).
//   - "named": a failed handshake of TLS is reported as one, and is final if it is; an alert in
//     place of an answer is reported as TLS.
//   - "ends well": without faults the connection answers a request in time, or fails with
//     ErrAuthentication if it cannot log in, and a closed one has nothing left: no request, link,
//     deadline or alarm.
package sim
