package matrix

import (
	"time"

	"brokerconn/application/broker"
)

// Faults of names, dials and streams.

// perPhase returns the cells of a fault that ends the connection in each phase from ApiVersions on, without the idle
// one, which differs by the fault.
func perPhase(fault string, kind error, text string) []Cell {
	return cells(
		in("V", fault, asked(kind, text)),
		in("HA", fault, loginLost(kind, text)),
		in("F", fault, lost(kind, text, "3")),
		in("K", fault, renewal(text)),
		in("C", fault, drained(kind, text)))
}

// cutOff is a handshake that the peer ends.
func cutOff() []Cell {
	return in("T", "0s tls-fails 11 300ms", unready(broker.ErrTLS, "closed the connection during the handshake"))
}

// The bounds of the connections of package sim.
const (
	setupBound    = 8 * time.Second
	requestBound  = 3 * time.Second
	throttleBound = 5 * time.Second
	backoffBase   = 50 * time.Millisecond
	backoffMax    = time.Second
)

const (
	noConnection = "there is no connection yet"
	noName       = "names are looked up before a dial only"
	nothingSent  = "no frame is on the way"
)

// silences returns the cells of a silence behind a dial.
func silences() []Cell {
	return cells(
		in("T", "0s tls-slow 9s", unready(broker.ErrSetupTimeout, "").down(setupBound)),
		in("V", "silence", unready(broker.ErrSetupTimeout, "").down(setupBound)),
		in("HA", "silence", loginLost(broker.ErrSetupTimeout, "").down(setupBound)),
		in("R", "silence; +1s send 10", Want{Kind: broker.ErrRequestTimeout, Fate: FullySent, Next: Backoff,
			Level: Warn, Metrics: "connection lost, 1 failed, 1 timed out",
			Down: 1700*time.Millisecond + requestBound}),
		in("F", "silence", lost(broker.ErrRequestTimeout, "", "3").
			metrics("connection lost, 3 failed, 1 timed out").down(2*time.Second+requestBound)),
		in("K", "silence", renewal("no answer").down(2*time.Second+setupBound)),
		in("C", "silence", drained(broker.ErrRequestTimeout, "").
			metrics("connection lost, 1 failed, 1 timed out").down(2*time.Second+requestBound)))
}

var networkRows = []Row{
	{1, "DNS failure or NXDOMAIN",
		in("D", "0s no-dns 20ms", unready(broker.ErrResolve, "no such host")),
		[]Absence{{"TVHARFKC", noName}}},
	{2, "refused or unreachable", cells(
		wired("D", "refuse", in("D", "0s refuse 20ms", unready(broker.ErrDial, "refused"))),
		in("D", "set addresses 2; 0s refuse 100ms", unready(broker.ErrDial, "refused").next(Redial).level(Debug))),
		[]Absence{{"TVHARFKC", "an established connection is not refused; row 5 has its reset"}}},
	{3, "connect black hole",
		in("D", "0s deaf 9s", unready(broker.ErrSetupTimeout, "").down(setupBound)),
		[]Absence{{"TVHARFKC", "the connection is established; row 7 has its silence"}}},
	{4, "accepted and closed without a byte", cells(
		wired("T", "fin", cutOff()),
		wired("V", "close-now", in("V", "0s dead-end 300ms", asked(broker.ErrConnection, ""))),
		wired("V", "fin", in("V", "fin", asked(broker.ErrConnection, "EOF"))),
		in("V", "0s dead-end 700ms", asked(broker.ErrConnection, "TLS").level(Warn)),
		wired("HA", "fin", in("HA", "fin", loginLost(broker.ErrConnection, "EOF"))),
		wired("FKC", "fin", cells(
			in("F", "fin", lost(broker.ErrConnection, "EOF", "3")),
			in("K", "fin", renewal("EOF")),
			in("C", "fin", drained(broker.ErrConnection, "EOF"))))),
		[]Absence{{"D", noConnection}, {"R", "that is the idle limit of a broker, row 34"}}},
	{5, "reset", cells(
		wired("D", "refuse", in("D", "0s refuse 20ms", unready(broker.ErrDial, "refused"))),
		wired("T", "rst 100", in("T", "0s tls-fails 12 300ms", unready(broker.ErrTLS, "reset"))),
		wired("R", "rst", in("R", "reset", idle(broker.ErrConnection, "reset"))),
		wired("VHAFKC", "rst", perPhase("reset", broker.ErrConnection, "reset"))), nil},
	{6, "FIN within a frame", cells(
		wired("T", "fin 100", cutOff()),
		wired("VHAFKC", "fin 6", perPhase("cut 6", broker.ErrConnection, "EOF"))),
		[]Absence{{"D", noConnection}, {"R", nothingSent}}},
	{7, "half-open: silence", wired("TVHARFKC", "silence", silences()),
		[]Absence{{"D", "row 3 is a dial without an answer"}}},
	{8, "one byte a read, cut at every place", wired("TVHARFKC", "dribble", cells(
		in("TVHAFK", "set piece 1", unharmed()),
		in("R", "set piece 1; +1s send 10", unharmed()),
		in("C", "set piece 1", emptied()))),
		[]Absence{{"D", noConnection}}},
	{9, "short and blocked writes", cells(
		// On sockets package net continues a short write. In F that takes long enough for requests behind it.
		wired("F", "narrow", in("VHAFK", "set take 1", unharmed())),
		in("C", "set take 1", emptied()),
		wired("F", "stall", in("F", "set window 100; 1900ms silence; 1990ms send 2000",
			lost(broker.ErrRequestTimeout, "", "4").
				metrics("connection lost, 4 failed, 1 timed out").fate(PartlySent).rest(NotSent)))),
		[]Absence{{"D", noConnection}, {"T", "the bytes of a handshake are crypto/tls's"}, {"R", nothingSent}}},
	{10, "delay below the timeout", cells(
		in("D", "0s slow-dns 6s", unharmed()),
		in("T", "0s tls-slow 6s", unharmed()),
		in("V", "late 6s", unharmed()),
		in("HA", "late 5s", unharmed()),
		in("FK", "late 2500ms", unharmed()),
		in("C", "late 2500ms", emptied())),
		[]Absence{{"R", nothingSent}}},
}
