package porttest

import (
	"errors"
	"testing"
	"time"

	"brokerconn/ports"
)

var racerChecks = []check[Harness]{
	{"a single endpoint is reached", racerSingle},
	{"a refused endpoint is passed over", racerPasses},
	{"a silent endpoint is lostRace", racerOvertakes},
	{"all refused is an error in StageDialing", racerFails},
	{"Close ends a race", racerClosed},
}

// raceDelay is short: it decides how long a check takes, and not what it finds.
const raceDelay = 10 * time.Millisecond

// race starts a race that is closed when the check ends.
func race(t *testing.T, harness Harness, eps ...ports.Endpoint) ports.RacingLink {
	t.Helper()
	link := optional[ports.Racer](t, harness.Transport).Race(eps, raceDelay)
	t.Cleanup(func() { _ = link.Close() })
	return link
}

// wantTries checks all tries of a race that is over, in their order at each endpoint: begun,
// then done as the outcome says.
func wantTries(t *testing.T, link ports.RacingLink, outcomes map[ports.Endpoint]func(error) bool) {
	t.Helper()
	begun, done := map[ports.Endpoint]bool{}, map[ports.Endpoint]bool{}
	for _, try := range link.Tries() {
		as, known := outcomes[try.Endpoint]
		switch {
		case !known:
			t.Errorf("a try at %v, which was not asked for", try.Endpoint)
		case !try.Done && begun[try.Endpoint], try.Done && (!begun[try.Endpoint] || done[try.Endpoint]):
			t.Errorf("tries at %v: not one that begins and one that is done", try.Endpoint)
		case try.Done && !as(try.Err):
			t.Errorf("the try at %v ended with %v", try.Endpoint, try.Err)
		}
		begun[try.Endpoint], done[try.Endpoint] = true, try.Done
	}
	for ep := range outcomes {
		if !done[ep] {
			t.Errorf("no try at %v is done", ep)
		}
	}
	if more := link.Tries(); len(more) > 0 {
		t.Errorf("Tries again: %v; want none", more)
	}
}

func reached(err error) bool  { return err == nil }
func lostRace(err error) bool { return errors.Is(err, ports.ErrLostRace) }
func failed(err error) bool   { return err != nil && !lostRace(err) }

func racerSingle(t *testing.T, harness Harness) {
	link := race(t, harness, harness.Endpoint)
	establish(t, link)
	wantTries(t, link, map[ports.Endpoint]func(error) bool{harness.Endpoint: reached})
	acceptOne(t, harness)
}

func racerPasses(t *testing.T, harness Harness) {
	needs(t, harness.Refused != ports.Endpoint{}, "Harness.Refused")
	link := race(t, harness, harness.Refused, harness.Endpoint)
	establish(t, link)
	tries := link.Tries()
	won := len(tries) > 0 && tries[len(tries)-1] == ports.Try{Endpoint: harness.Endpoint, Done: true}
	if !won {
		t.Errorf("Tries: %+v; want the endpoint that is reached at the end", tries)
	}
	acceptOne(t, harness)
}

func racerOvertakes(t *testing.T, harness Harness) {
	needs(t, harness.Silent != ports.Endpoint{}, "Harness.Silent")
	link := race(t, harness, harness.Silent, harness.Endpoint)
	establish(t, link)
	wantTries(t, link, map[ports.Endpoint]func(error) bool{harness.Silent: lostRace, harness.Endpoint: reached})
	acceptOne(t, harness)
}

func racerFails(t *testing.T, harness Harness) {
	needs(t, harness.Refused != ports.Endpoint{}, "Harness.Refused")
	link := race(t, harness, harness.Refused)
	dialFails(t, link)
	wantTries(t, link, map[ports.Endpoint]func(error) bool{harness.Refused: failed})
}

func racerClosed(t *testing.T, harness Harness) {
	needs(t, harness.Silent != ports.Endpoint{}, "Harness.Silent")
	link := race(t, harness, harness.Silent, harness.Silent)
	if s, err := link.Stage(); s != ports.StageDialing || err != ports.ErrWouldBlock {
		t.Errorf("Stage: %v, %v; want StageDialing and ErrWouldBlock itself", s, err)
	}
	closeTwice(t, link)
	wantClosed(t, link)
}
