package storm_test

import (
	"bytes"
	"encoding/xml"
	"testing"
	"time"

	"brokerconn/application/sim/storm"
)

// The numbers follow from the settings. Without jitter a client's attempts are 50, 150, 350, 750,
// 1550, ... 5550 ms behind the loss, each a round trip of 1 ms later than the one before, and the
// last of 1,000 clients is served half a second later.
func TestWithoutJitterAttemptsCoincide(t *testing.T) {
	r := storm.Run(1000, false)
	for bin, n := range r.Attempts {
		if n != 0 && n != r.Clients {
			t.Errorf("got %d attempts %v behind the loss, want none or all", n, time.Duration(bin)*storm.Bin)
		}
	}
	if r.Total() != 9*r.Clients || r.Peak() != r.Clients || r.PeakOfReturn() != r.Clients || r.Median() != 0 {
		t.Errorf("got %s, want 9 attempts of each client, all at once", r.Numbers())
	}
	served := time.Duration(r.Clients) * storm.Handshake
	if least := 550*time.Millisecond + served; r.Back < least || r.Back > least+15*time.Millisecond {
		t.Errorf("got all back after %v, want %v and some round trips", r.Back, least)
	}
	if r.Waited < served || r.Waited > served+5*time.Millisecond {
		t.Errorf("got a wait of %v, want %v and two round trips", r.Waited, served)
	}
}

func TestJitterSpreadsAttempts(t *testing.T) {
	r := storm.Run(1000, true)
	if r.PeakOfReturn() > r.Clients/10 || r.Peak() > r.Clients*6/10 {
		t.Errorf("got %s, want attempts that are spread", r.Numbers())
	}
	if most := storm.Away/5 + time.Duration(r.Clients)*storm.Handshake + 200*time.Millisecond; r.Back > most {
		t.Errorf("got all back after %v, want at most the longest pause, 1.2 s", r.Back)
	}
	again := storm.Run(1000, true)
	if !bytes.Equal(storm.SVG(r), storm.SVG(again)) {
		t.Error("got two drawings of one storm, want the same bytes")
	}
}

func TestDrawingIsOneDocument(t *testing.T) {
	for _, clients := range []int{1, 2} {
		drawing := storm.SVG(storm.Run(clients, false), storm.Run(clients, true))
		if err := xml.Unmarshal(drawing, new(struct{})); err != nil {
			t.Errorf("got %v in\n%s", err, drawing)
		}
	}
}
