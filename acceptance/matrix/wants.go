package matrix

import (
	"time"

	"brokerconn/application/broker"
)

// What is wanted in most cells: the columns of an outcome go together.

// unready is the end of an attempt: requests are kept for the next one.
func unready(kind error, text string) Want {
	return Want{Kind: kind, Text: text, Fate: Kept, Next: Backoff, Level: Warn, Metrics: "attempt failed"}
}

// loginLost is unready within a login.
func loginLost(kind error, text string) Want {
	return unready(kind, text).metrics("attempt failed, login failed")
}

// lost is the end of a connection that was ready, with a number of requests in flight, which were sent.
func lost(kind error, text, failed string) Want {
	return Want{Kind: kind, Text: text, Fate: FullySent, Next: Backoff, Level: Warn,
		Metrics: "connection lost, " + failed + " failed"}
}

// idle is the end of a connection on which nothing is in flight.
func idle(kind error, text string) Want {
	return Want{Kind: kind, Text: text, Fate: None, Next: Backoff, Level: Warn, Metrics: "connection lost"}
}

// renewal is the end of a connection by its reauthentication, for which requests wait. Nothing was in flight, and the
// next connection logs in at once, see broker.ErrReauthentication.
func renewal(text string) Want {
	return Want{Kind: broker.ErrReauthentication, Text: text, Fate: Kept, Next: Redial, Level: Warn,
		Metrics: "connection lost, reauthentication failed"}
}

// asked is the end of an attempt whose ApiVersions had no answer: v0 is asked for at once, as Azure Event Hubs needs
// it, and that is no warning unless it fails too.
func asked(kind error, text string) Want { return unready(kind, text).next(Redial).level(Debug) }

// drained is the end of a connection that is being closed, before the request in flight was answered.
func drained(kind error, text string) Want { return lost(kind, text, "1").next(Closed) }

// unharmed is a fault that changes nothing.
func unharmed() Want { return Want{Fate: Answered, Next: Same, Level: Quiet} }

// emptied is the end of a connection that is being closed, behind the answer to the last request.
func emptied() Want { return unharmed().next(Closed).metrics("closed") }

// closed is a close by the owner.
func closed(fate Fate, metrics string) Want {
	return Want{Kind: broker.ErrClosed, Fate: fate, Next: Closed, Level: Quiet, Metrics: metrics}
}

func (w Want) final() Want                 { w.Final = true; return w }
func (w Want) next(n Next) Want            { w.Next = n; return w }
func (w Want) level(l Level) Want          { w.Level = l; return w }
func (w Want) metrics(m string) Want       { w.Metrics = m; return w }
func (w Want) late() Want                  { w.Fate, w.Late = NotSent, true; return w }
func (w Want) fate(f Fate) Want            { w.Fate = f; return w }
func (w Want) phase(p byte) Want           { w.Phase = p; return w }
func (w Want) down(at time.Duration) Want  { w.Down = at; return w }
func (w Want) since(at time.Duration) Want { w.Since = at; return w }
func (w Want) loss(kind error) Want        { w.Loss = kind; return w }
func (w Want) rest(f Fate) Want            { w.Rest = f; return w }

// cells joins lists of cells.
func cells(lists ...[]Cell) (all []Cell) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// noted adds the reason of what is wanted to cells.
func noted(note string, list []Cell) []Cell {
	for i := range list {
		list[i].Note = note
	}
	return list
}

// canceled is the end of some requests by their callers, who alone know whether there is time for another try.
func canceled(count string) Want {
	return Want{Kind: broker.ErrCanceled, Final: true, Fate: Canceled, Next: Same, Level: Quiet,
		Metrics: count + " canceled"}
}
