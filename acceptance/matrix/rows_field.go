package matrix

import (
	"fmt"
	"maps"
	"slices"

	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/application/broker"
)

// Faults that were met in the field: see acceptance/discoveries.

// silentProxy returns the cells of a proxy that is silent within its conversation, behind so many bytes, and in each
// later phase. The conversation has a limit of its own, which passes in real time on sockets.
func silentProxy(kind string, answers map[int]string) (list []Cell) {
	for _, n := range slices.Sorted(maps.Keys(answers)) {
		list = append(list, wired("D", fmt.Sprint("silence ", n), in("D", fmt.Sprintf("0s proxy-silent %d 9s", n),
			unready(broker.ErrDial, "the proxy does not answer after "+answers[n]).down(tunnel.DefaultTimeout)))...)
	}
	for _, c := range silences() {
		if c.Phase != 'T' {
			c.Wire = "silence"
			list = append(list, c)
		}
	}
	return proxied(kind, list)
}

var fieldRows = []Row{
	{36, "idle flow that is forgotten, in silence",
		in("R", "forget; +1s send 10", Want{Kind: broker.ErrRequestTimeout, Fate: FullySent, Next: Backoff, Level: Warn,
			Metrics: "connection lost, 1 failed, 1 timed out"}),
		[]Absence{{"DTVHAFKC", "the flow is not idle; row 7 has silence"}}},
	{37, "idle flow that is forgotten, with a reset",
		in("R", "forget-reset; +1s send 10",
			idle(broker.ErrConnection, "reset").fate(FullySent).metrics("connection lost, 1 failed")),
		[]Absence{{"DTVHAFKC", "the flow is not idle; row 5 has resets"}}},
	{38, "throttle time without an end", throttled("596h", throttleBound), noThrottle},
	{39, "answers to acks 0", cells(
		judging(in("R", "+100ms answer-all; +110ms post 10", unharmed().metrics("1 dropped")), 2),
		in("F", "+250ms answer-all; +260ms post 10", unharmed().metrics("1 dropped")),
		judging(in("K", "1890ms answer-all; 1890ms post 10", unharmed().metrics("1 dropped")), 2, 3),
		judging(in("C", "1990ms answer-all; 1990ms post 10", emptied().metrics("closed, 1 dropped")), 2, 3)),
		[]Absence{{"DTVHA", "no request of a caller is sent"}}},
	{40, "probes cut by a forwarder",
		in("V", "set probe true; 0s dead-end 300ms", asked(broker.ErrConnection, "")),
		[]Absence{{"DTHARFKC", "probes are sent in one phase"}}},
	{41, "table with an invalid range",
		in("V", "set peer kroxylicious", unharmed().level(Warn)),
		[]Absence{{"DTHARFKC", "the table comes in one phase"}}},
	{42, "error 35 with the versions on offer",
		in("V", "set release 2.4", unharmed()), oneQuestion},
	{43, "error 35 without versions",
		in("V", "set release 1.0", unharmed()), oneQuestion},
	{44, "error 35 in no layout",
		in("V", "set peer librdkafka-mock", unharmed()),
		oneQuestion},
	{45, "a second login within a second",
		in("K", "2500ms renew; 2600ms renew", unharmed()), []Absence{{"DTVHARFC", noSession}}},
	{46, "login that succeeds and dies at the first request", cells(
		judging(in("F", "@0s; set login true; in-vain 1s",
			lost(broker.ErrConnection, "the login was accepted", "1")), 1),
		in("K", "in-vain 1s", lost(broker.ErrConnection, "the login was accepted", "1"))),
		[]Absence{{"DTVHARC", "the first request is in flight"}}},
	{47, "silent proxy", cells(
		in("D", "0s deaf 9s", unready(broker.ErrSetupTimeout, "").down(setupBound)),
		silentProxy("socks5", map[int]string{0: "the greeting", 2: "the request was sent"}),
		silentProxy("connect", map[int]string{0: "the request was sent"})),
		[]Absence{{"T", "row 7 has the silence of what is behind a dial"}}},
	{48, "connection limit: closed without a byte",
		in("V", "0s limit-ip 300ms", asked(broker.ErrConnection, "")),
		[]Absence{{"DTHARFKC", "limits are those of new connections"}}},
	{49, "connection limit: held and reset",
		in("V", "0s limit-rate 300ms", asked(broker.ErrConnection, "reset")),
		[]Absence{{"DTHARFKC", "limits are those of new connections"}}},
	{50, "connection limit: served late",
		in("V", "0s limit-late 6s", unharmed()), []Absence{{"DTHARFKC", "limits are those of new connections"}}},
}
