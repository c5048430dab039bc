package parity

import "regexp"

// deviations are all the ways in which this library differs from kafka-python on
// purpose. There are at most maxDeviations; one that no scenario shows any more
// has to go.
var deviations = []deviation{
	{
		name: "the-pause-follows-the-failures",
		reason: "The pause after a failure begins with the failure, always has its jitter, and grows until a peer has answered. " +
			"kafka-python counts it from the start of the attempt, so that a connection that lasted longer than the pause comes back " +
			"at once, in step with all others that were lost with it; it has no jitter where the bound equals the base; and where it " +
			"asks nothing on connecting, reaching TCP ends the row of failures, so that a peer which speaks something else is " +
			"hammered (KAFKA-13879).",
	},
	{
		name: "no-pause-after-a-clean-close",
		reason: "Who closes a connection without an error may open the next at once: nothing failed. In kafka-python the base " +
			"pause of the attempt still runs, and 2.0.2 counts a failure.",
	},
	{
		name: "an-attempt-is-one-whole",
		reason: "The lookup, all addresses that it found, and asking the same address at version 0 and with the probes of check_version are one attempt: " +
			"its callbacks begin with the lookup, there is no pause within it, and it is one failure. 2.0.2 pauses between " +
			"addresses and does not count a lookup that failed; 2.3.3 calls back only when it has ended, and pauses before it asks again.",
	},
	{
		name: "versions-are-asked-on-connecting",
		reason: "Without api_version a connection begins with ApiVersions, and CheckVersion is no more than to connect, with " +
			"Metadata right behind the question for brokers that say nothing to it. 2.0.2 asks nothing until check_version, which " +
			"sends the same two and sleeps 100 ms between; 2.3.3 sends nothing behind, and gives the answer half of " +
			"api_version_auto_timeout_ms. Time that is over is called so, not lack of readiness.",
	},
	{
		name: "the-state-is-what-is-under-way",
		reason: "2.3.3 calls back about its negotiation also where api_version is configured and nothing is negotiated, and has a " +
			"connection_delay on the way up. Here, and in 2.0.2, a state is what is under way, and while that is so only news matters.",
		rules: []rule{{
			versions: []string{"2.3.3"},
			line:     regexp.MustCompile(`^callback negotiating$`),
			when:     func(s *settings) bool { return s.api != nil },
		}},
	},
	{
		name: "closed-is-not-cancelled",
		reason: "Requests that a close fails report that the connection was closed, as kafka-python's documentation has it; its " +
			"code says Cancelled, although no caller cancelled them.",
		rules: []rule{{versions: versions, line: regexp.MustCompile(`^(failed \w+) cancelled retriable$`), ours: "$1 closed retriable"}},
	},
	{
		name: "futures-are-done-by-recv",
		reason: "The Future of an answer is done when recv returns it, once and for all. kafka-python leaves that to the caller, " +
			"because its futures run callbacks which must not run under its lock; here nothing runs when a Future is done.",
		rules: []rule{{versions: versions, line: regexp.MustCompile(`^(answer \w+) pending `), ours: "$1 done "}},
	},
	{
		name: "retriable-is-what-may-succeed",
		reason: "After a breach of the protocol the same request would meet the same peer: not retriable, as in kafka-python 3. " +
			"What the owner's own error cut off may be sent again: retriable, whatever that error was.",
		rules: []rule{
			{versions: versions, line: regexp.MustCompile(`^(failed \w+ (?:correlation|frame-size|protocol)) retriable$`), ours: "$1"},
			{versions: versions, line: regexp.MustCompile(`^(failed \w+ user-error)$`), ours: "$1 retriable"},
		},
	},
	{
		name: "what-has-arrived-comes-first",
		reason: "Complete answers are handed out although the end, or a fault, came with them; and an end that has arrived refuses " +
			"the next request. kafka-python throws away what it read together with the end, and sends into a closed connection.",
	},
	{
		name: "each-request-its-own-error",
		reason: "Only the request that was late, or whose answer could not be read, says so; the others were cut off by it and say " +
			"that. kafka-python fails all of them alike, so that requests which were fine seem to have timed out.",
	},
	{
		name: "bounds-are-checked",
		reason: "A size field that is negative, huge or too small for a header, a body that cannot be read and one with bytes left " +
			"over end the connection. 2.0.2 believes any size; in both some faults escape as exceptions and leave the connection " +
			"as it was, out of step with its peer.",
	},
	{
		name: "time-limits-hold",
		reason: "A limit that has passed is noticed in whatever is called next, whether or not other answers come, and is called a " +
			"timeout. kafka-python notices the end of the setup in connect only, and that of a request only when nothing else was " +
			"received.",
	},
	{
		name: "written-is-what-counts",
		reason: "A send writes at once what the link takes, a request without an answer is done when it was written, and is returned " +
			"by recv like the others, and a flush is complete only when nothing is left. kafka-python queues, calls acks-0 requests " +
			"done before a byte of them was written, and 2.0.2's second flush forgets what was queued behind a carry-over (kafka-python#2670).",
	},
	{
		name: "callbacks-do-not-nest",
		reason: "What a callback asks for is begun when the way down has ended: link closed, requests failed. kafka-python makes the " +
			"new connection inside the callback of the old one, whose link is still open and whose requests still wait.",
	},
	{
		name: "can-send-more-is-about-room",
		reason: "CanSendMore says what its documentation says, in 2.0.2 as well: whether the in-flight limit leaves room. In 2.3.3 " +
			"it is false while the broker throttles; here Send refuses with an error of its own and the delay can be asked for.",
	},
}

// maxDeviations is how many there may be.
const maxDeviations = 15
