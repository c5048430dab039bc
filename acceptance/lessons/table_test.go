package lessons

import "testing"

// The tests of the rows of README.md, which use public ports and adapters/tls alone. TestLessons runs
// them, and compares them with the page, which names other tests of the repository too, in italics.

type tests []func(*testing.T)

// lesson is one row.
type lesson struct {
	name string // of the subtest: an issue, and the matter
	run  tests
}

var lessons = []lesson{
	{"apache-kafka#5940 plaintext on a TLS port", tests{firstBytes, tlsServerHangsUp}},
	{"kafka-python#3014 hostile broker", tests{hostileSizes, memoryFollowsBytes}},
	{"kafka-python#2284 one slow host", tests{slowAddress, reasonOfEveryAddress, deadlineOfContext, shortBudget}},
	{"franz-go#1025 reset on ApiVersions v4", tests{resetAboveV0, resetAtEveryVersion}},
	{"franz-go#1009 error 35 read in the wrong version", tests{unsupportedVersion}},
	{"apache-kafka#12131 backoff reset too early", tests{pausesGrow, pausesEndWhenReady}},
	{"franz-go#249 session lifetime", tests{anyLifetime, idleSession, changedPrincipal}},
	{"franz-go re-authentication races a reader", tests{pipelinedAtExpiry, reauthUnderLoad}},
	{"aiokafka#1105 requests parked by a login", tests{lineAndLogin, halfALogin, parkedAreReleased}},
	{"kafka-python#2364 TLS error escapes", tests{handshakeFails, wrongCertificate, tlsFails}},
	{"sarama#1528 silent peer", tests{silence}},
	{"kafka-python#1686 half-open peer", tests{drippingPeer}},
	{"kafka-python#1744 close racing send", tests{sendRacesClose}},
	{"kafka-python#2076 callbacks under a lock", tests{hooksHoldNoLock, closeFromEveryHook, closeWhileHandlerWaits}},
	{"franz-go#1377 two ways down", tests{oneWayDown}},
	{"kafka-python#2670 bytes left behind", tests{allSent}},
	{"kafka-python#1246 peer stops reading", tests{peerStopsReading, pendingIsBounded}},
	{"apache-kafka#9902 old addresses", tests{lookedUpAgain, failedAddressLast}},
	{"kafka-python#838 addresses of IPv6", tests{nextAddressAtOnce, zoneIsKept}},
	{"apache-kafka#15130 throttled requests expired", tests{throttleStopsClocks}},
	{"librdkafka#5592 throttle ignored", tests{throttleGate, throttledCallersWait}},
	{"librdkafka#3109 idle connection dropped", tests{idleCloseIsQuiet, firstAfterSilence, brokenPipe}},
	{"sarama#1700 server name shared", tests{hostOfEachConnection, serverNameOfEachConnection}},
	{"kafka-rest#807 wrong password", tests{loginRefused, loginNeverHammers, loginRefusedPolled, wrongThenRight}},
	{"kafka-python#2113 newer broker", tests{configuredRelease, futureBroker}},
}
