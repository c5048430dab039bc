package matrix

import "brokerconn/application/broker"

// Faults of frames and of their contents.

// violations returns the cells of answers that are against the protocol.
func violations(fault string, kind error, text string) []Cell {
	return cells(
		in("V", fault, unready(kind, text).final()),
		inside(fault, kind, text))
}

// unknown is a request that the broker has no version of: it alone fails.
func unknown() Want {
	return Want{Kind: broker.ErrUnsupportedVersion, Final: true, Fate: NotSent, Next: Same, Level: Quiet,
		Metrics: "1 refused"}
}

// inside returns the same, without the first answer of a connection.
func inside(fault string, kind error, text string) []Cell {
	return cells(
		in("HA", fault, loginLost(kind, text).final()),
		in("F", fault, lost(kind, text, "3").final()),
		in("K", fault, renewalViolated(kind, text)),
		in("C", fault, drained(kind, text).final()))
}

// renewalViolated is an answer to a reauthentication that is against the protocol.
func renewalViolated(kind error, text string) Want {
	w := renewal(text).final().next(Backoff)
	w.Kind = kind
	return w
}

// misread returns the cells of an answer to a caller that is not what its version has: Metadata, with a request behind
// it. The connection is closed, since what follows cannot be trusted either, as by kafka-python; that other request is
// not at fault. Metrics count an answer that came.
func misread(fault string) []Cell {
	w := lost(broker.ErrProtocol, "cannot decode", "1").final().loss(broker.ErrConnection)
	return inBubbleAlone("the owner of the exact engine does not decode: a Conn and a Polled do", cells(
		judging(in("R", "+100ms ask; "+fault, w.metrics("connection lost")), 2),
		judging(in("F", "2015ms ask; 2112ms "+fault, w), 4, 5),
		judging(in("C", "1990ms ask; 2080ms "+fault, w.next(Closed)), 2, 3)))
}

const notAFrame = "there is no frame: the bytes are those of a handshake of TLS, see row 25"

var oneQuestion = []Absence{{"DTHARFKC", "ApiVersions is asked in one phase"}}

var frameRows = []Row{
	{11, "size below 4 or negative", cells(
		violations("negative-size 5", broker.ErrFrameSize, ""),
		violations("size 3", broker.ErrFrameSize, "")),
		[]Absence{{"D", noConnection}, {"T", notAFrame}, {"R", nothingSent}}},
	{12, "size above the limit", cells(
		wired("VHAFKC", "replace 0 00100001", violations("size 1048577", broker.ErrFrameSize, "1048577")),
		wired("V", "replace 0 485454502f312e3120", in("V", "http", unready(broker.ErrNotKafka, "HTTP").final())),
		wired("V", "replace 0 15030300020228", in("V", "alert", unready(broker.ErrTLSExpected, "TLS").final())),
		noted("a peer that has spoken Kafka before speaks it",
			cells(inside("http", broker.ErrFrameSize, "48 54 54 50"),
				inside("alert", broker.ErrFrameSize, "15 03 03")))),
		[]Absence{{"D", noConnection}, {"T", notAFrame}, {"R", nothingSent}}},
	{13, "size that lies, and a stall", wired("VHAFKC", "replace 0 0007a120", cells(
		in("V", "size 500000", unready(broker.ErrSetupTimeout, "")),
		in("HA", "size 500000", loginLost(broker.ErrSetupTimeout, "")),
		in("F", "size 500000; size 500000; size 500000", lost(broker.ErrRequestTimeout, "", "3").
			metrics("connection lost, 3 failed, 1 timed out")),
		in("K", "size 500000", renewal("no answer")),
		in("C", "size 500000", drained(broker.ErrRequestTimeout, "").
			metrics("connection lost, 1 failed, 1 timed out")))),
		[]Absence{{"D", noConnection}, {"T", notAFrame}, {"R", nothingSent}}},
	{14, "wrong correlation id", cells(
		violations("wrong-id 1", broker.ErrOutOfOrder, ""),
		violations("wrong-id 100000", broker.ErrOutOfOrder, "")),
		[]Absence{{"D", noConnection}, {"T", notAFrame}, {"R", "row 15 has the answer to no request"}}},
	{15, "duplicate or unrequested answer", cells(
		in("R", "550ms twice; +1s send 10", idle(broker.ErrOutOfOrder, "").final().fate(Answered)),
		judging(in("F", "twice", lost(broker.ErrOutOfOrder, "", "2").final()), 3, 4),
		in("F", "+250ms answer-all; +260ms post 10", unharmed().metrics("1 dropped")),
		in("V", "twice", idle(broker.ErrOutOfOrder, "").final().phase('R').fate(Kept)),
		in("HA", "twice", loginLost(broker.ErrOutOfOrder, "").final()),
		in("K", "twice", renewalViolated(broker.ErrOutOfOrder, "")),
		in("C", "twice", emptied())),
		[]Absence{{"D", noConnection}, {"T", notAFrame}}},
	{16, "truncated body or trailing bytes", cells(
		in("V", "short 3", unready(broker.ErrProtocol, "").final()),
		in("V", "long 5", unready(broker.ErrProtocol, "").final()),
		in("HA", "short 3", loginLost(broker.ErrProtocol, "").final()),
		in("HA", "long 5", loginLost(broker.ErrProtocol, "").final()),
		in("K", "short 3", renewalViolated(broker.ErrProtocol, "")),
		in("K", "long 5", renewalViolated(broker.ErrProtocol, "")),
		wired("RFC", "short", misread("short 3")),
		wired("RFC", "long", misread("long 5"))),
		[]Absence{{"D", noConnection}, {"T", notAFrame}}},
	{17, "ApiVersions: error 35 in a v0 body",
		in("V", "set release 2.4", unharmed()),
		oneQuestion},
	{18, "ApiVersions unknown: the broker closes",
		cells(
			in("V", "@0s; set old 8; set probe true", asked(broker.ErrConnection, "").level(Warn)),
			in("V", "set old 9; set probe true", unharmed().level(Warn))),
		oneQuestion},
	{19, "no version of a request in common", cells(
		judging(in("R", "set peer controller; +1s ask", unknown()), 2),
		in("F", "set peer controller; 2040ms ask", unharmed().metrics("1 refused")),
		judging(in("F", "set peer controller; 2040ms ask", unknown()), 5),
		judging(in("K", "set peer controller; +5ms ask", unharmed().metrics("1 refused")), 3),
		judging(in("K", "set peer controller; +5ms ask", unknown()), 2)),
		[]Absence{{"DTVHA", "versions are compared when a request is admitted: in flight"},
			{"C", "a connection that drains admits no request"}}},
}
