package simtest_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"brokerconn/application/broker"
	"brokerconn/application/simtest"
)

// planted is set for TestPlanted, which fails, when another test runs it.
const planted = "SIMTEST_PLANTED"

// TestPlanted has a finder with a defect: it waits for a request that failed.
func TestPlanted(t *testing.T) {
	if os.Getenv(planted) != "" {
		simtest.Run(t, simtest.Options{}, scenario(true))
	}
}

// TestPlantedLock keeps a lock during a request.
func TestPlantedLock(t *testing.T) {
	if os.Getenv(planted) == "" {
		return
	}
	*simtest.StuckTicks = 2
	simtest.Run(t, simtest.Options{}, func(w *simtest.World) {
		var mu sync.Mutex
		conn, _ := dial(w)
		for range 2 {
			w.Go(func() { keepLock(w, conn, &mu) })
		}
		w.Sleep(time.Minute)
	})
}

// TestPlantedFailNow fails the test outside instead of the seed, as packages of assertions do that are
// given a *testing.T.
func TestPlantedFailNow(t *testing.T) {
	if os.Getenv(planted) != "" {
		simtest.Run(t, simtest.Options{Seeds: 1}, func(*simtest.World) { t.FailNow() })
	}
}

func TestFailNowOfTheTestOutside(t *testing.T) {
	want := "the function of Run was ended by t.FailNow or t.SkipNow of a test; use World.Fatalf"
	if got := runPlanted(t, t.TempDir(), "-test.run=^TestPlantedFailNow$"); !strings.Contains(got, want) {
		t.Errorf("got a report without %q:\n%s", want, got)
	}
}

func keepLock(w *simtest.World, conn *broker.Conn, mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
	_ = ask(w, conn)
}

// A mutex for which a goroutine waits stops the time of a bubble (golang/go#73850). That fails the seed, and
// not the process.
func TestKeptLockFailsTheSeed(t *testing.T) {
	got := runPlanted(t, t.TempDir(), "-test.run=^TestPlantedLock$")
	for _, want := range []string{
		"virtual time has stood still for 2 s of real time: a goroutine waits for a sync.Mutex",
		"simtest_test.keepLock", "--- FAIL: TestPlantedLock", "client 1 of broker-0: sends Metadata"} {
		if !strings.Contains(got, want) {
			t.Errorf("got a report without %q:\n%s", want, got)
		}
	}
}

func scenario(forgetful bool) func(*simtest.World) {
	return func(w *simtest.World) {
		f, _ := newFinder("orders", time.Second, w.Config(0), w.Config(1))
		f.forgetful = forgetful
		w.Drive(f.Step)
		w.Chaos(time.Minute)
		w.Eventually(20*time.Second, func() bool { return f.Leader() == w.Leader("orders", 0) })
	}
}

func TestPlantedDefectIsFoundAndShrunk(t *testing.T) {
	if failure := simtest.Check(t, simtest.Options{}, scenario(false)); failure != nil {
		t.Fatalf("without the defect: %v", failure)
	}
	failure := simtest.Check(t, simtest.Options{}, scenario(true))
	if failure == nil {
		t.Fatal("got no failure in 100 seeds")
	}
	if lines := strings.Count(failure.Plan, "\n"); lines > 4 {
		t.Errorf("got a plan of %d lines, want at most 4: the seed, a fault or two, heal\n%s", lines, failure.Plan)
	}
	for _, want := range []string{"client 1 of broker-0: failed: Metadata", "FAILED: Eventually: not true after 20s"} {
		if !strings.Contains(failure.Journal, want) {
			t.Errorf("got a journal without %q:\n%s", want, failure.Journal)
		}
	}
	for _, want := range []string{"|-- Metadata #", "o failed: Metadata", "X FAILED: Eventually"} {
		if !strings.Contains(strings.ReplaceAll(failure.Chart, "---", "--"), want) {
			t.Errorf("got a chart without %q:\n%s", want, failure.Chart)
		}
	}
}

// The command of a report runs the plan that it has written, which fails in the same way; the next
// run of the test runs that plan first.
func TestReportedCommandReproduces(t *testing.T) {
	root := t.TempDir()
	folder := filepath.Join(root, "leader")
	err := errors.Join(os.Mkdir(folder, 0o755), os.WriteFile(filepath.Join(root, "go.mod"), nil, 0o644))
	if err != nil {
		t.Fatal(err)
	}
	first := runPlanted(t, folder, "-test.run=^TestPlanted$")
	command := regexp.MustCompile("go test \\./leader -run '(\\^TestPlanted\\$)' " +
		`(-sim\.plan=(testdata/sim/TestPlanted/\w+\.plan))`)
	found := command.FindStringSubmatch(first)
	if found == nil {
		t.Fatalf("got a report without the command:\n%s", first)
	}
	if again := runPlanted(t, folder, "-test.run="+found[1], found[2]); story(again) != story(first) {
		t.Errorf("got by the command\n%s\nwant\n%s", again, first)
	}
	if next := runPlanted(t, folder, "-test.run=^TestPlanted$"); story(next) != story(first) {
		t.Errorf("got by the next run\n%s\nwant\n%s", next, first)
	}
	plan := filepath.Join(folder, found[3])
	if err := os.WriteFile(plan, []byte("seed 1\n1s rain 3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	want := `the plan has the fault "rain", which Chaos was not given`
	if got := runPlanted(t, folder, "-test.run=^TestPlanted$"); !strings.Contains(got, want) {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// story is the journal and the chart of a report.
func story(report string) string {
	_, after, _ := strings.Cut(report, "journal:")
	before, _, _ := strings.Cut(after, "--- FAIL")
	before, _, _ = strings.Cut(before, "\nFAIL")
	return before
}

// runPlanted runs a test of this file in another process, and returns what it prints.
func runPlanted(t *testing.T, folder string, args ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), planted+"=1")
	out, err := cmd.CombinedOutput()
	if exit := new(exec.ExitError); !errors.As(err, &exit) {
		t.Fatalf("got %v, want a test that fails:\n%s", err, out)
	}
	return string(out)
}
