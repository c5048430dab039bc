package probe

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgressOfLongWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		var p progress
		p.start(&b, time.Second)
		p.waitFor("connecting")
		time.Sleep(900 * time.Millisecond)
		p.waitFor("") // a pause
		time.Sleep(10 * time.Second)
		if got := b.String(); got != "" {
			t.Errorf("got %q after a short wait and a pause, want nothing", got)
		}
		p.waitFor("the answer")
		time.Sleep(2500 * time.Millisecond)
		synctest.Wait()
		const want = "kafkaprobe: the answer, 2s so far"
		if got := b.String(); !strings.HasSuffix(got, want) || strings.Contains(got, "\n") {
			t.Errorf("got %q, want %q at the end", got, want)
		}
		p.end()
		lines := strings.Split(b.String(), "\r")
		if n := len(lines); lines[n-1] != "" || strings.TrimSpace(lines[n-2]) != "" {
			t.Errorf("got %q, want a wiped line at the end", b.String())
		}
	})
}

// TestProgressAtTerminal checks that a terminal gets progress, but not with --json, before the failure and its hint.
func TestProgressAtTerminal(t *testing.T) {
	if isTerminal(&bytes.Buffer{}) {
		t.Error("got a terminal, want none: a buffer")
	}
	address := silent(t)
	for _, json := range []bool{false, true} {
		var stdout, stderr bytes.Buffer
		a := &app{stdout: &stdout, stderr: &stderr, terminal: true, progressEvery: 10 * time.Millisecond}
		code := a.run(t.Context(), []string{"apis", address, "--timeout", short, fmt.Sprintf("--json=%v", json)})
		got := stderr.String()
		last := got[strings.LastIndex(got, "\r")+1:]
		if code != exitTimeout || strings.Contains(got, "asking "+address) == json ||
			strings.Count(last, "\n") != 2 || !strings.HasPrefix(last, "kafkaprobe: ") {
			t.Errorf("got exit code %d and %q with --json=%v", code, got, json)
		}
	}
}
