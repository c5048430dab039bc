package lessons

import "testing"

// The table of the lessons, which README.md prints. run has the tests of a row in this
// package, which use public ports and adapters/tls alone; seen has other tests of the
// repository that show it too. TestLessons runs the table.

// lesson is one row.
type lesson struct {
	number   int
	name     string // what the subtest is called: an issue, and the matter
	issues   string
	happened string
	holds    string
	run      []func(*testing.T)
	seen     []string // "folder TestName", the folder from the root of the module
}

var lessons = []lesson{
	{
		1, "apache/kafka#5940 plaintext on a TLS port",
		"apache/kafka#5940 (KAFKA-4493), kminion#91, kroxylicious#2439",
		"a plaintext client read a TLS alert as a frame of 352518912 bytes: out of memory, or an error that said " +
			"nothing",
		"TLS, HTTP, SSH and other text are detected by the first four bytes: ErrTLSExpected or ErrNotKafka, " +
			"with a hint, at once",
		[]func(*testing.T){firstBytes, tlsServerHangsUp}, []string{"domain TestConversations"},
	},
	{
		2, "kafka-python#3014 hostile broker",
		"dpkp/kafka-python#3014 (GHSA-2jcm-hq8r-84wx)",
		"a hostile broker named any frame length, and an iteration count for SCRAM that froze the client for minutes",
		"a size is checked before memory is allocated for it, and memory is at most 64 KiB ahead of the bytes " +
			"before the login, 4 MiB after it; an iteration count is checked before any work",
		[]func(*testing.T){hostileSizes, memoryFollowsBytes}, []string{"domain TestFrameReaderMemory",
			"domain FuzzFrameReader", "adapters/sasl/scram TestHostileFirst",
			"adapters/sasl/scram TestTheCapIsTheUsers"},
	},
	{
		3, "kafka-python#2284 one slow host",
		"dpkp/kafka-python#2284, #643, #2348",
		"one slow host ate the two seconds of the version check, and NoBrokersAvailable hid the reason",
		"each step and each address has a budget of its own; the error has every address, the phase and the reason; " +
			"a context's deadline holds",
		[]func(*testing.T){slowAddress, reasonOfEveryAddress, deadlineOfContext, shortBudget},
		[]string{"application/broker TestDialReportsEveryAddress"},
	},
	{
		4, "franz-go#1025 reset on ApiVersions v4",
		"dpkp/kafka-python#2602, twmb/franz-go#1025, #1022",
		"Azure Event Hubs resets the connection when asked for ApiVersions v4",
		"if the connection is lost after a request above v0, v0 follows on a new connection, at once and only " +
			"once; the version that worked comes first next time",
		[]func(*testing.T){resetAboveV0, resetAtEveryVersion}, []string{"domain TestConversations"},
	},
	{
		5, "franz-go#1009 error 35 read in the wrong version",
		"twmb/franz-go#1009, #1011",
		"the answer to an unknown version of ApiVersions was read in the version asked: every old broker failed",
		"an error 35 is read as v0 whatever version was requested, and the next request has a lower version, " +
			"so that no peer can cause a loop",
		[]func(*testing.T){unsupportedVersion}, []string{"domain TestConversations"},
	},
	{
		6, "apache/kafka#12131 backoff reset too early",
		"apache/kafka#12131 (KAFKA-13879)",
		"the backoff began again with each TCP connect, though TLS was wanted: reconnect storm",
		"only a connection that became ready resets the backoff: not TCP, not TLS, not an answered " +
			"ApiVersions before a refused login",
		[]func(*testing.T){pausesGrow, pausesEndWhenReady}, []string{"domain TestBackoffBounds"},
	},
	{
		7, "franz-go#249 session lifetime",
		"twmb/franz-go#249, #250, #136",
		"a short or past session lifetime made the client log in again and again; a changed principal was refused",
		"requests are answered with any lifetime, with at most two logins for each; a refused " +
			"reauthentication leads to one new connection",
		[]func(*testing.T){anyLifetime, idleSession, changedPrincipal},
		[]string{"domain TestConversations"},
	},
	{
		8, "franz-go re-authentication races a reader",
		"franz-go changelog (MSK IAM), apache/kafka SaslClientAuthenticator",
		"answers to requests in flight were taken for those of the new login: corruption",
		"the requests in flight are answered first, then the login runs, then the waiting requests are sent, " +
			"in order",
		[]func(*testing.T){pipelinedAtExpiry, reauthUnderLoad}, []string{"domain TestConversations"},
	},
	{
		9, "aiokafka#1105 requests parked by a login",
		"platformatic/kafka#226, aio-libs/aiokafka#1105",
		"requests that waited for a login were never sent; a half-done login counted as done",
		"a request that waits for a login is sent after it, or fails with it; a login is done when both the " +
			"mechanism and the broker report it",
		[]func(*testing.T){lineAndLogin, halfALogin, parkedAreReleased}, []string{"domain FuzzLogin"},
	},
	{
		10, "kafka-python#2364 TLS error escapes",
		"dpkp/kafka-python#2364",
		"a TLS error other than EOF escaped from connect(), and the dead socket was tried without end",
		"every error of a handshake closes the connection, counts for the backoff and is an ErrTLS around the " +
			"reason, also one that shows in the first read, as with TLS 1.3",
		[]func(*testing.T){handshakeFails, wrongCertificate, tlsFails},
		[]string{"adapters/netlink TestHandshake", "adapters/tls TestReasons",
			"adapters/tls TestBrokerIsCutOffAndStalls"},
	},
	{
		11, "sarama#1528 silent peer",
		"IBM/sarama#1528, #2656, #3283, #1148",
		"no deadline on the TLS handshake or the login: a goroutine hung for 20 hours",
		"SetupTimeout covers the lookup, the dial, TLS, ApiVersions and the login; the error names the phase",
		[]func(*testing.T){silence}, []string{"application/broker TestDialGivesUpWithItsContext"},
	},
	{
		12, "kafka-python#1686 half-open peer",
		"dpkp/kafka-python#1686, #1696",
		"only CONNECTING had a timeout: a half-open TLS peer was waited for without end",
		"SetupTimeout runs in every phase, and no byte that arrives extends it",
		[]func(*testing.T){drippingPeer}, []string{"domain TestConversations"},
	},
	{
		13, "kafka-python#1744 close racing send",
		"dpkp/kafka-python#1744, #1746, #1748, #1766",
		"a request was registered just after close() had cleared the table: its future was never done",
		"every admitted request is done exactly once, whichever comes first",
		[]func(*testing.T){sendRacesClose},
		[]string{"application/broker TestClosingWithRequestsInFlight", "domain TestMachineAgainstModel"},
	},
	{
		14, "kafka-python#2076 callbacks under a lock",
		"dpkp/kafka-python#2076, #1461, #1895, IBM/sarama#2133, #2155, li-apache-kafka-clients#176",
		"callbacks ran under the lock, and close waited for a handler that waited for close",
		"no hook runs under a lock; each may close the connection, and Close waits for none",
		[]func(*testing.T){hooksHoldNoLock, closeFromEveryHook, closeWhileHandlerWaits},
		[]string{"application/broker TestPolledClosedFromItsHooks", "application/broker TestDoneComesLast"},
	},
	{
		15, "franz-go#1377 two ways down",
		"twmb/franz-go#1377, #1378",
		"two paths of teardown closed one channel twice: the panic killed the process",
		"one function closes a connection; it may be called twice and from anywhere, and each link is closed " +
			"and counted once",
		[]func(*testing.T){oneWayDown},
		[]string{"application/broker TestClosingWithRequestsInFlight", "domain TestMachineAgainstModel"},
	},
	{
		16, "kafka-python#2670 bytes left behind",
		"dpkp/kafka-python#2670",
		"the rest of a short write hid the requests queued behind it: the last one was never sent",
		"everything is sent if and only if neither a rest nor a request behind it is left",
		[]func(*testing.T){allSent}, []string{"application/broker TestPolledSendPendingV2",
			"domain TestStepShortSendsAndWouldBlock"},
	},
	{
		17, "kafka-python#1246 peer stops reading",
		"dpkp/kafka-python#1246, #1577",
		"a blocking send to a peer that had stopped reading hung its caller",
		"a write is bounded by the request's timeout and the context; what waits to be written is bounded, and " +
			"beyond it is ErrBackPressure",
		[]func(*testing.T){peerStopsReading, pendingIsBounded},
		[]string{"application/broker TestBackPressureWaits",
			"application/broker TestContextIsSeenWhileAWriteIsBlocked",
			"application/broker TestPolledBlockingSendWaits"},
	},
	{
		18, "apache/kafka#9902 old addresses",
		"dpkp/kafka-python#810, #1683, apache/kafka#9902 (KAFKA-12193)",
		"names were looked up once in the life of the process, or the old address was tried first",
		"after an established connection dropped the name is looked up again, and the address that failed is tried " +
			"last",
		[]func(*testing.T){lookedUpAgain, failedAddressLast}, []string{"domain TestConversations"},
	},
	{
		19, "kafka-python#838 addresses of IPv6",
		"dpkp/kafka-python#838, #1018, #2476, confluent-kafka-python#229",
		"an AAAA was tried without end; the zone was dropped; socket() failed where IPv6 is off",
		"all addresses are tried, without a pause between them; the zone is kept; an error of socket() means the " +
			"next address",
		[]func(*testing.T){nextAddressAtOnce, zoneIsKept},
		[]string{"adapters/tcp TestLiteralsNeedNoLookUp", "application/broker TestParseAddress"},
	},
	{
		20, "apache/kafka#15130 throttled requests expired",
		"apache/kafka#15130 (KAFKA-16083)",
		"requests in flight of a throttled client expired: reconnect storm",
		"while the broker throttles, the timers of all requests are paused",
		[]func(*testing.T){throttleStopsClocks}, []string{"domain TestConversations"},
	},
	{
		21, "librdkafka#5592 throttle ignored",
		"confluentinc/librdkafka#5592, dpkp/kafka-python#2506",
		"the client ignored the throttle of KIP-219 and was muted by the broker",
		"nothing is sent before the end of the throttle, which never moves back and applies to later " +
			"connections too",
		[]func(*testing.T){throttleGate, throttledCallersWait}, []string{"domain TestConversations"},
	},
	{
		22, "librdkafka#3109 idle connection dropped",
		"confluentinc/librdkafka#3109, #437, #2845, IBM/sarama#760, #1796",
		"a middlebox dropped an idle connection silently: the next request failed, and filled the logs",
		"an idle connection is closed before brokers do so, quietly; the first request after a loss that was not " +
			"noticed succeeds or is safe to retry",
		[]func(*testing.T){idleCloseIsQuiet, firstAfterSilence, brokenPipe},
		[]string{"domain TestCheckAfterSilence", "application/broker TestIdleConnectionThatIsClosedIsNoticed"},
	},
	{
		23, "sarama#1700 server name shared",
		"IBM/sarama#1700",
		"the TLS server name of the first broker stayed in the shared configuration",
		"each dial, each login and each handshake is given the host of its own connection, and the certificate must " +
			"be for it, also where a session is resumed",
		[]func(*testing.T){hostOfEachConnection, serverNameOfEachConnection},
		[]string{"adapters/netlink TestDialGetsTheEndpoint", "adapters/tls TestServerName"},
	},
	{
		24, "kafka-rest#807 wrong password",
		"kafka-rest#807, camel#10544, dpkp/kafka-python#2238",
		"a wrong password was tried in a tight loop, flooded the broker's log, and poll never returned",
		"callers fail at once with the broker's message; LastError keeps the failure; each attempt follows a " +
			"pause",
		[]func(*testing.T){loginRefused, loginNeverHammers, loginRefusedPolled, wrongThenRight},
		[]string{"domain TestRefusalAfterFailedLogin"},
	},
	{
		25, "kafka-python#2113 newer broker",
		"dpkp/kafka-python#2113, #2159, #2279, #2566",
		"each new release of Kafka, and each patch number, was an UnrecognizedBrokerVersion",
		"an unknown release is accepted, configured or detected: the nearest lower one, or \"at least\"",
		[]func(*testing.T){configuredRelease, futureBroker},
		[]string{"domain/release TestTableOfAnyRelease", "domain/release TestTableOfNearestLower",
			"domain/release TestIdentifyLaterRelease"},
	},
}
