package matrix

import "brokerconn/application/broker"

// Faults of time, and of the connection's owner.

const (
	gapNote     = "what arrived meanwhile is read before timers end; a request that waits is over its time"
	noWallClock = "the exact engine has one clock, which is monotonic"
	noHooks     = "the core has no hooks: a Conn and a Polled call them"
	lateAttempt = "attempt failed, 1 refused"
	lateLogin   = "attempt failed, login failed, 1 refused"
)

var ownerRows = []Row{
	{29, "throttle time",
		in("F", "set release 4.4; 2040ms ask; 2040ms throttle 500ms; +600ms send 10", unharmed().level(Info)),
		[]Absence{{"DTVHARKC", "an answer has it: as in flight"}}},
	{30, "the process is stopped for 10 minutes, or the wall clock jumps", cells(noted(gapNote, cells(
		in("D", "+1ms gap 10m", unready(broker.ErrSetupTimeout, "").phase('V').late().metrics(lateAttempt)),
		in("T", "gap 10m", unready(broker.ErrSetupTimeout, "").phase('V').late().metrics(lateAttempt)),
		in("V", "gap 10m", unharmed().late().metrics("1 refused")),
		in("H", "gap 10m", loginLost(broker.ErrSetupTimeout, "").late().metrics(lateLogin)),
		in("A", "set lifetime 1h; gap 10m", unharmed().late().metrics("1 refused")),
		in("R", "gap 10m", unharmed()),
		in("F", "gap 10m", unharmed()),
		in("K", "gap 10m", renewal("no answer")),
		in("C", "gap 10m", emptied()))),
		inBubbleAlone(noWallClock, cells(
			in("DTVHAFK", "jump 1h", unharmed()),
			in("DTVHAFK", "jump 1h 1", unharmed()),
			in("R", "jump 1h; +1s send 10", unharmed()),
			in("R", "jump 1h 1; +1s send 10", unharmed()),
			in("C", "jump 1h", emptied()),
			in("C", "jump 1h 1", emptied())))), nil},
	{31, "a caller cancels", cells(
		in("V", "withdraw", canceled("1")),
		in("F", "cancel 0; cancel 0; cancel 0", canceled("3"))),
		[]Absence{{"DTHAKC", "as in ApiVersions: the request waits, or in flight"}, {"R", "there is no request"}}},
	{32, "the owner closes", wired("TVHARFKC", "close", cells(
		in("DTV", "+1ms close-for-good", closed(NotSent, "closed, 1 refused")),
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
			noted("what arrived meanwhile is read before timers end", in("F", "hook-sleeps 5s", unharmed()))))), nil},
	{34, "idle limit of the broker", cells(
		in("R", "+2s fin", idle(nil, "").level(Debug).metrics("closed").next(Redial))),
		[]Absence{{"DTVHAFKC", "the connection is not idle"}}},
	{35, "a provider of credentials blocks", cells(
		in("A", "@0s; set mechanism SCRAM-SHA-256; slow-credentials 9s", loginLost(broker.ErrSetupTimeout, "")),
		in("K", "set mechanism SCRAM-SHA-256; 1900ms slow-credentials 9s", renewal(""))),
		[]Absence{{"DTVHRC", "no credentials are asked for"}, {"F", "hooks and loggers run without the lock: row 33"}}},
}
