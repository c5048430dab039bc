// Package cuts takes conversations of a client and a broker, and lets a connection end, be late or arrive in pieces at
// every byte of both directions, in the exact engine of application/sim and with all its invariants.
//
//   - A stream in pieces, of whatever size, changes nothing: TCP has no messages (RFC 9293).
//   - Bytes that are late, but within each limit, change nothing but the time. Those that are later than any limit end
//     what waits for them, when its time is over.
//   - A connection that ends before a step of the setup is answered whole has not taken that step, and another one
//     comes up. A request fails if it was in flight, with what was sent of it, and is otherwise answered.
package cuts

import "strings"

// conversation is what a client and a broker say to each other, from the first connection on.
type conversation struct {
	name  string
	setup string // settings of a plan of application/sim
	steps string // of the owner
	// asks are the requests that the broker receives, and knows, in their order; a bar is the end of a connection.
	// Tokens in frames of their own are not requests.
	asks string
	// from is the first connection that has breaks, if those before are as in other conversations.
	from int
	// away is how many connections come before those of the broker, to a forwarder that has none behind it.
	away   int
	old    bool // the broker is one before 0.10
	polled bool // it is run with a broker.Polled too, also without -cuts.all
}

// Steps. A request waits for the connection, and another one comes when it is idle.
const (
	requests = "0s send 10\n5s send 10\n"
	// renewal is a reauthentication, and a request that waits for it.
	renewal = requests + "10s renew\n10001ms send 10\n"
	// closed is a connection that its owner closes, and the next one.
	closed = "0s send 10\n3s close\n5s send 10\n"
	// lost is one that is reset.
	lost = "0s send 10\n3s reset\n5s send 10\n"
	// Two, three and four connections end while the broker behind a forwarder is away.
	twoEnd   = "0s dead-end 20ms\n" + requests
	threeEnd = "0s dead-end 100ms\n" + requests
	fourEnd  = "0s dead-end 250ms\n" + requests
	// end is behind all that happens.
	end = "60s doze\n"
)

// Settings.
const (
	login = "set login true\n"
	raw   = login + "set raw true\n"
	// lasting sessions are renewed before their end.
	lasting = login + "set lifetime 1m\n"

	scram256 = "set mechanism SCRAM-SHA-256\n"
	scram512 = "set mechanism SCRAM-SHA-512\n"
	bearer   = "set mechanism OAUTHBEARER\n"
	gssapi   = "set mechanism GSSAPI\n"
	expected = "set expect true\n"
	probing  = "set probe true\n"
)

// Requests, in the highest version that both have.
const (
	asked    = "ApiVersions v4"
	shake    = ", SaslHandshake v1"
	shakeRaw = ", SaslHandshake v0"
	token    = ", SaslAuthenticate v2"
	token1   = ", SaslAuthenticate v1" // before Kafka 2.5
	echo     = ", echo"
	metadata = ", Metadata v0"
)

// conversations are the table. What is asked comes from the documents of the protocol: ApiVersions first (KIP-35), and
// once more below a rejected version (KIP-511); SaslHandshake (KIP-43) and, behind its v1, SaslAuthenticate
// (KIP-152), once for each message of the client: one of PLAIN (RFC 4616) and OAUTHBEARER (RFC 7628), two of SCRAM
// (RFC 5802), three of GSSAPI (RFC 4752). A reauthentication is a login on the same connection (KIP-368).
// Where the broker meant is named, it is asked behind the login, where it compares (KIP-1242).
var conversations = []conversation{
	{name: "no login", polled: true, steps: requests, asks: asked + echo + echo},
	{name: "PLAIN", polled: true, setup: login, steps: requests, asks: asked + shake + token + echo + echo},
	{name: "SCRAM-SHA-256", setup: login + scram256, steps: requests,
		asks: asked + shake + token + token + echo + echo},
	{name: "SCRAM-SHA-512", setup: login + scram512, steps: requests,
		asks: asked + shake + token + token + echo + echo},
	{name: "OAUTHBEARER", polled: true, setup: login + bearer, steps: requests,
		asks: asked + shake + token + echo + echo},
	{name: "GSSAPI", setup: login + gssapi, steps: requests,
		asks: asked + shake + token + token + token + echo + echo},

	{name: "PLAIN behind TLS", setup: login + "set tls true\nset handshake 2ms\n", steps: requests,
		asks: asked + shake + token + echo + echo},
	{name: "the second mechanism", polled: true,
		setup: login + "set mechanism SCRAM-SHA-512,PLAIN\nset offers PLAIN\nset tls true\n",
		steps: requests, asks: asked + shake + " | " + asked + shake + token + echo + echo},

	{name: "PLAIN, renewed", polled: true, setup: lasting, steps: renewal,
		asks: asked + shake + token + echo + echo + shake + token + echo},
	{name: "SCRAM-SHA-256, renewed", polled: true, setup: lasting + scram256, steps: renewal,
		asks: asked + shake + token + token + echo + echo + shake + token + token + echo},
	{name: "SCRAM-SHA-512, renewed", setup: lasting + scram512, steps: renewal,
		asks: asked + shake + token + token + echo + echo + shake + token + token + echo},
	{name: "OAUTHBEARER, renewed", setup: lasting + bearer, steps: renewal,
		asks: asked + shake + token + echo + echo + shake + token + echo},
	{name: "GSSAPI, renewed", polled: true, setup: lasting + gssapi, steps: renewal,
		asks: asked + shake + token + token + token + echo + echo + shake + token + token + token + echo},

	{name: "PLAIN in raw tokens", setup: raw, steps: requests, asks: asked + shakeRaw + echo + echo},
	{name: "SCRAM-SHA-256 in raw tokens", setup: raw + scram256, steps: requests,
		asks: asked + shakeRaw + echo + echo},
	{name: "SCRAM-SHA-512 in raw tokens", setup: raw + scram512, steps: requests,
		asks: asked + shakeRaw + echo + echo},
	{name: "GSSAPI in raw tokens", polled: true, setup: raw + gssapi, steps: requests,
		asks: asked + shakeRaw + echo + echo},
	{name: "GSSAPI of 0.9, without a handshake", setup: "set old 9\n" + raw + "set offers GSSAPI\n" + gssapi,
		steps: requests, asks: "echo" + echo, old: true},

	// A release before 0.10 answers the probes that it knows: see domain/machine_probes.go for their order, and
	// https://kafka.apache.org/protocol for the release of each.
	{name: "0.8.0", setup: "set release 0.8.0\n", steps: requests, old: true,
		asks: "| | | | | Metadata v0 | echo" + echo},
	{name: "0.8.1", setup: "set release 0.8.1\n", steps: requests, old: true,
		asks: "| | | | OffsetFetch v0" + metadata + " | echo" + echo},
	{name: "0.8.2", polled: true, setup: "set release 0.8.2\n", steps: requests, old: true,
		asks: "| | | FindCoordinator v0" + metadata + " | echo" + echo},
	{name: "0.9.0", polled: true, setup: "set release 0.9.0\n", steps: requests, old: true,
		asks: "Metadata v0" + metadata + echo + echo},
	{name: "0.8.2, once more", from: 6, setup: "set release 0.8.2\n", steps: closed, old: true,
		asks: "| | | FindCoordinator v0" + metadata + " | echo | echo"},
	{name: "0.9.0, once more", polled: true, from: 2, setup: "set release 0.9.0\n", steps: closed, old: true,
		asks: "Metadata v0" + metadata + echo + " | echo"},

	{name: "error 35 without versions", setup: "set release 0.10.0\n", steps: requests,
		asks: asked + ", ApiVersions v0" + echo + echo},
	{name: "error 35 with versions", polled: true, setup: "set release 2.4\n", steps: requests,
		asks: asked + ", ApiVersions v3" + echo + echo},
	{name: "error 35 and SCRAM-SHA-512", setup: login + "set release 2.4\n" + scram512, steps: requests,
		asks: asked + ", ApiVersions v3" + shake + token1 + token1 + echo + echo},
	{name: "closed on v4", polled: true, setup: "set peer event-hubs\n", steps: requests,
		asks: asked + " | ApiVersions v0" + echo + echo},

	{name: "the broker meant", setup: expected + "set release 4.4\n", steps: requests,
		asks: "ApiVersions v5" + echo + echo},
	{name: "the broker meant, before 4.4", setup: expected + "set release 4.0\n", steps: requests,
		asks: "ApiVersions v5, " + asked + echo + echo},
	{name: "the broker meant, behind a login", polled: true, setup: login + expected + "set release 4.4\n",
		steps: requests, asks: "ApiVersions v5" + shake + token + ", ApiVersions v5" + echo + echo},

	// A client that probes for old releases, and a broker of today.
	{name: "asked by one who probes", setup: probing + "set release 4.4\n", steps: requests,
		asks: asked + echo + echo},
	{name: "asked by one who probes, once more", from: 2, setup: probing + "set release 4.4\n", steps: lost,
		asks: asked + echo + " | " + asked + echo},
	{name: "error 35 to one who probes, once more", from: 2, setup: probing + "set release 0.10.0\n", steps: lost,
		asks: asked + ", ApiVersions v0" + echo + " | ApiVersions v0" + echo},
	// The one that answers a probe is asked once more.
	{name: "asked by one who probes, behind two ends", polled: true, from: 3, away: 2,
		setup: probing + "set release 2.8\n", steps: twoEnd,
		asks: "| | ListGroups v0" + metadata + ", ApiVersions v0" + metadata + echo + echo},
	{name: "asked by one who probes, behind three ends", from: 4, away: 3, setup: probing + "set release 2.8\n",
		steps: threeEnd, asks: "| | | FindCoordinator v0" + metadata + ", ApiVersions v0" + metadata + echo + echo},
	{name: "asked by one who probes, behind four ends", from: 5, away: 4, setup: probing + "set release 2.8\n",
		steps: fourEnd, asks: "| | | | OffsetFetch v0" + metadata + ", ApiVersions v0" + metadata + echo + echo},
	{name: "GSSAPI, once more", from: 2, setup: login + gssapi, steps: lost,
		asks: asked + shake + token + token + token + echo + " | " + asked + shake + token + token + token + echo},
}

// raw reports whether the tokens of the login have frames of their own.
func (c conversation) raw() bool { return strings.Contains(c.setup, raw) }

// probes reports whether the client would probe for a release before 0.10, which the broker is not.
func (c conversation) probes() bool { return strings.Contains(c.setup, probing) }
