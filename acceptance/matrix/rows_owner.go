package matrix

import (
	"time"

	"brokerconn/application/broker"
)

// Faults of time, and of the connection's owner.

const (
	gapNote = "what arrived meanwhile is read before timers end, as in kafka-python's _poll and Java's " +
		"NetworkClient.poll; a request that waits is over its time"
	noWallClock = "the exact engine has one clock, which is monotonic"
	noHooks     = "the core has no hooks: a Conn and a Polled call them"
	lateAttempt = "attempt failed, 1 refused"
	lateLogin   = "attempt failed, login failed, 1 refused"
)

// throttled are the cells of a throttle time in an answer (KIP-219): the client sends nothing before it is over, and
// the next answer comes a round trip later. What is longer than the limit counts as that: want.
func throttled(d string, want time.Duration) []Cell {
	ask := func(at string) string { return "set release 4.4; " + at + " ask; " + at + " throttle " + d }
	over := func(answer time.Duration) Want {
		return unharmed().level(Info).since(answer + want + 200*time.Millisecond)
	}
	return cells(
		in("V", "set release 4.4; throttle "+d, over(400*time.Millisecond)),
		judging(in("R", ask("+100ms")+"; +400ms send 10", over(time.Second)), 2, 3),
		judging(in("F", ask("2040ms")+"; +600ms send 10", over(2240*time.Millisecond)), 2, 3, 4, 5, 6),
		judging(in("K", ask("1700ms"), over(1900*time.Millisecond)), 2, 3),
		judging(in("C", ask("1990ms"), emptied().level(Info)), 2, 3))
}

var noThrottle = []Absence{{"DT", "there is no answer yet"}, {"HA", "an answer of a login has no throttle time"}}

var ownerRows = []Row{
	{29, "throttle time", throttled("500ms", 500*time.Millisecond), noThrottle},
	{30, "the process is stopped for 10 minutes, or the wall clock jumps", cells(
		// On sockets it is up to the network whether another round trip is in time: that is, in H and K.
		noted(gapNote, wired("VARFC", "gap", cells(
			in("D", "+1ms gap 10m", unready(broker.ErrSetupTimeout, "").phase('V').late().metrics(lateAttempt)),
			in("T", "gap 10m", unready(broker.ErrSetupTimeout, "").phase('V').late().metrics(lateAttempt)),
			in("V", "gap 10m", unharmed().late().metrics("1 refused")),
			in("H", "gap 10m", loginLost(broker.ErrSetupTimeout, "").late().metrics(lateLogin)),
			in("A", "set lifetime 1h; gap 10m", unharmed().late().metrics("1 refused")),
			in("R", "gap 10m", unharmed()),
			in("F", "gap 10m", unharmed()),
			in("K", "gap 10m", renewal("no answer")),
			in("C", "gap 10m", emptied())))),
		inBubbleAlone(noWallClock, cells(
			in("DTVHAFK", "jump 1h", unharmed()),
			in("DTVHAFK", "jump 1h 1", unharmed()),
			in("R", "jump 1h; +1s send 10", unharmed()),
			in("R", "jump 1h 1; +1s send 10", unharmed()),
			in("C", "jump 1h", emptied()),
			in("C", "jump 1h 1", emptied())))), nil},
	{31, "a caller cancels", cells(
		in("D", "+1ms withdraw", canceled("1")),
		in("TVHA", "withdraw", canceled("1")),
		in("F", "cancel 0; cancel 0; cancel 0", canceled("3")),
		in("K", "+20ms withdraw", canceled("1")),
		in("C", "cancel 0", canceled("1").next(Closed).metrics("closed, 1 canceled"))),
		[]Absence{{"R", "there is no request"}}},
	{32, "the owner closes", wired("TVHARFKC", "close", cells(
		wired("D", "close socks5", in("DTV", "+1ms close-for-good", closed(NotSent, "closed, 1 refused"))),
		in("HA", "+1ms close-for-good", closed(NotSent, "closed, 1 refused").level(Debug)),
		in("R", "close-for-good", closed(None, "closed")),
		in("F", "close-for-good", closed(FullySent, "closed, 3 failed").level(Debug)),
		in("K", "close-for-good", closed(NotSent, "closed, 1 refused").level(Debug)),
		in("C", "close-for-good", closed(FullySent, "closed, 1 failed").level(Debug)))), nil},
	{33, "a slow owner; a hook that panics or is slow", cells(
		in("F", "set polled true; doze 2s", unharmed()),
		inBubbleAlone(noHooks, cells(
			in("DTVHAFK", "hooks-panic 1m", unharmed().level(Error)),
			in("R", "hooks-panic 1m; +1s send 10", unharmed().level(Error)),
			in("C", "hooks-panic 1m", emptied().level(Error)),
			in("DTVHAFK", "hook-sleeps 1s", unharmed()),
			in("R", "hook-sleeps 1s; +1s send 10", unharmed()),
			in("C", "hook-sleeps 1s", emptied()),
			noted("what arrived meanwhile is read before timers end",
				wired("F", "hook", judging(in("F", "hook-sleeps 5s", unharmed()), 2, 3)))))), nil},
	{34, "idle limit of the broker", cells(
		in("R", "+2s fin", idle(nil, "").level(Debug).metrics("closed").next(Redial))),
		[]Absence{{"DTVHAFKC", "the connection is not idle"}}},
	{35, "a provider of credentials blocks", cells(
		in("A", "@0s; set mechanism SCRAM-SHA-256; slow-credentials 9s", loginLost(broker.ErrSetupTimeout, "")),
		in("K", "set mechanism SCRAM-SHA-256; 1900ms slow-credentials 9s", renewal(""))),
		[]Absence{{"DTVHRC", "no credentials are asked for"}, {"F", "hooks and loggers run without the lock: row 33"}}},
}
