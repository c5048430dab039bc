package parity

import "regexp"

// deviations lists every deliberate difference between this library and kafka-python.
// There are at most maxDeviations; TestParity fails for one that no scenario shows.
var deviations = []deviation{
	{
		name: "the-pause-follows-the-failures",
		reason: "The pause after a failure begins with the failure, always has its jitter, and grows until a peer " +
			"has answered. kafka-python counts it from the start of the attempt: a connection that lasted " +
			"longer than the pause is made again at once, in step with all others that were lost with it. It " +
			"has no jitter if the bound equals the base. If it sends no request on connecting, TCP alone resets " +
			"the pause, so that a peer of another protocol is dialled at a high rate (KAFKA-13879).",
	},
	{
		name: "no-pause-after-a-clean-close",
		reason: "After a close without an error the next connection may be made at once, since nothing failed. In " +
			"kafka-python the base pause of the attempt still runs, and 2.0.2 counts a failure.",
	},
	{
		name: "an-attempt-is-one-whole",
		reason: "The lookup, all addresses that it found, and the next requests to the same address at version 0 " +
			"and with the probes of check_version are one attempt: its callbacks begin with the lookup, it " +
			"contains no pause, and it is one failure. 2.0.2 pauses between addresses and does not count a " +
			"failed lookup; 2.3.3 does not report the start of the lookup, and pauses before it asks again.",
	},
	{
		name: "versions-are-asked-on-connecting",
		reason: "Without api_version a connection begins with ApiVersions, and CheckVersion only connects; Metadata " +
			"follows at once for brokers that do not answer ApiVersions. 2.0.2 sends nothing until " +
			"check_version, which sends the same two requests and sleeps 100 ms between them; 2.3.3 sends no " +
			"Metadata, and waits half of api_version_auto_timeout_ms for the answer. Here the error of an " +
			"elapsed time is a timeout, there it is a lack of readiness.",
	},
	{
		name: "the-state-is-what-is-under-way",
		reason: "2.3.3 reports a negotiation also if api_version is configured and nothing is negotiated, and has a " +
			"connection_delay while it connects. Here, and in 2.0.2, a state names the operation in progress, " +
			"and until that ends only its events matter.",
		rules: []rule{{
			versions: []string{"2.3.3"},
			line:     regexp.MustCompile(`^callback negotiating$`),
			when:     func(s *settings) bool { return s.api != nil },
		}},
	},
	{
		name: "closed-is-not-cancelled",
		reason: "A request that a close fails reports that the connection was closed, as kafka-python's " +
			"documentation says; its code reports Cancelled, although no caller cancelled the request.",
		rules: []rule{{versions: versions, line: regexp.MustCompile(`^(failed \w+) cancelled retriable$`),
			ours: "$1 closed retriable"}},
	},
	{
		name: "futures-are-done-by-recv",
		reason: "The Future of an answer is done when recv returns it. kafka-python leaves that to the caller, " +
			"because its futures run callbacks which must not run under its lock; here a Future runs none.",
		rules: []rule{{versions: versions, line: regexp.MustCompile(`^(answer \w+) pending `), ours: "$1 done "}},
	},
	{
		name: "retriable-is-what-may-succeed",
		reason: "After a violation of the protocol the same request would meet the same peer: it is not retriable, " +
			"as in kafka-python 3. A request that fails because the owner closed the connection with an error " +
			"is retriable, whatever the error is.",
		rules: []rule{
			{versions: versions, ours: "$1",
				line: regexp.MustCompile(`^(failed \w+ (?:correlation|frame-size|protocol)) retriable$`)},
			{versions: versions, line: regexp.MustCompile(`^(failed \w+ user-error)$`), ours: "$1 retriable"},
		},
	},
	{
		name: "what-has-arrived-comes-first",
		reason: "Complete answers are returned although the end of the connection, or a fault, came with them; and " +
			"after an end that has arrived the next request is refused. kafka-python drops the bytes that it " +
			"read together with the end, and sends into a closed connection.",
	},
	{
		name: "each-request-its-own-error",
		reason: "Only the request that timed out, or whose answer could not be read, reports that; the others " +
			"report the failure of the connection. kafka-python fails all of them alike, so that the others " +
			"seem to have timed out too.",
	},
	{
		name: "bounds-are-checked",
		reason: "A size that is negative, huge or too small for a header, a body that cannot be read and a body " +
			"with trailing bytes end the connection. 2.0.2 accepts any size; in both some faults escape as " +
			"exceptions and leave the connection as it was, out of step with its peer.",
	},
	{
		name: "time-limits-hold",
		reason: "Whichever method is called next notices a limit that has passed, even if other answers arrive, and " +
			"reports a timeout. kafka-python notices the end of the setup in connect only, and that of a " +
			"request only if nothing else was received.",
	},
	{
		name: "written-is-what-counts",
		reason: "A send writes at once the bytes that the link accepts; a request without an answer is done when it " +
			"is written, and recv returns it like the others; a flush is complete only if no byte is left. " +
			"kafka-python queues, completes acks-0 requests before a byte of them was written, and 2.0.2's " +
			"second flush loses the requests behind a carry-over (kafka-python#2670).",
	},
	{
		name: "callbacks-do-not-nest",
		reason: "An operation that a callback requests begins after the old connection has ended: link closed, " +
			"requests failed. kafka-python makes the new connection inside the callback of the old one, whose " +
			"link is still open and whose requests still wait.",
	},
	{
		name: "can-send-more-is-about-room",
		reason: "CanSendMore reports whether the in-flight limit leaves room, as its documentation says and as " +
			"2.0.2 does. In 2.3.3 it is false while the broker throttles; here Send refuses with an error of " +
			"its own, and ConnectionDelay returns the rest of the throttle.",
	},
}

// maxDeviations is how many there may be.
const maxDeviations = 15
