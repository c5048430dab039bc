package probe

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgressIsToldOnlyOfLongWaitsAndWiped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		p := startProgress(&b, time.Second)
		p.waitFor("connecting")
		time.Sleep(900 * time.Millisecond)
		p.waitFor("") // nothing: a pause
		time.Sleep(10 * time.Second)
		if b.Len() > 0 {
			t.Errorf("told of a short wait, or a pause: %q", b.String())
		}
		p.waitFor("the answer")
		time.Sleep(2500 * time.Millisecond)
		synctest.Wait()
		if got := b.String(); !strings.HasSuffix(got, "kafkaprobe: the answer, 2s so far") || strings.Contains(got, "\n") {
			t.Errorf("%q", got)
		}
		p.end()
		if lines := strings.Split(b.String(), "\r"); lines[len(lines)-1] != "" || strings.TrimSpace(lines[len(lines)-2]) != "" {
			t.Errorf("not wiped: %q", b.String())
		}
	})
}

func TestNobodyIsTold(t *testing.T) {
	var p *progress
	p.waitFor("x")
	p.clear()
	p.end()
	if isTerminal(&bytes.Buffer{}) {
		t.Error("a buffer is no terminal")
	}
}

// A terminal gets progress, but never with --json.
func TestProgressAtATerminal(t *testing.T) {
	address := silent(t)
	for _, c := range []struct {
		args []string
		told bool
	}{
		{[]string{"apis", address, "--timeout", short}, true},
		{[]string{"apis", address, "--timeout", short, "--json"}, false},
	} {
		var stdout, stderr bytes.Buffer
		a := &app{stdout: &stdout, stderr: &stderr, terminal: true, progressEvery: 10 * time.Millisecond}
		if code := a.run(t.Context(), c.args); code != exitTimeout {
			t.Errorf("exit code %d", code)
		}
		if told := strings.Contains(stderr.String(), "asking "+address); told != c.told {
			t.Errorf("%v: %q", c.args, stderr.String())
		}
		lines := strings.Split(stderr.String(), "\r")
		if last := lines[len(lines)-1]; strings.Count(last, "\n") != 1 || !strings.HasPrefix(last, "kafkaprobe: ") {
			t.Errorf("%v: %q", c.args, stderr.String())
		}
	}
}
