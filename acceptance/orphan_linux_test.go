//go:build acceptance

package acceptance

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"
)

// A test process that dies without a word takes its broker with it.
func TestBrokerDiesWithItsOwner(t *testing.T) {
	if _, err := Fetch(t.Context(), Newest); err != nil {
		t.Fatal(err)
	}
	owner := exec.Command(os.Args[0], "-test.run=^TestOwner$", "-test.v")
	owner.Env = append(os.Environ(), "BROKERCONN_OWNER=1", "TMPDIR="+t.TempDir())
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	defer owner.Wait()
	defer owner.Process.Kill()
	var pid int
	for lines := bufio.NewScanner(out); pid == 0 && lines.Scan(); {
		fmt.Sscanf(lines.Text(), "broker %d", &pid)
	}
	if pid == 0 || !lives(pid) {
		t.Fatalf("the owner started no broker (process %d)", pid)
	}
	if err := owner.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); lives(pid); {
		if time.Now().After(deadline) {
			t.Fatalf("the broker, process %d, outlives its owner", pid)
		}
	}
}

// TestOwner is no test, but the process that the test above kills.
func TestOwner(t *testing.T) {
	if os.Getenv("BROKERCONN_OWNER") == "" {
		return
	}
	fmt.Printf("\nbroker %d\n", privateBroker(t, Config{}).PID())
	select {}
}

// lives says whether a process exists that is not a zombie: nobody may be there
// to reap an orphan.
func lives(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !bytes.Contains(stat, []byte(") Z")) && !bytes.Contains(stat, []byte(") X"))
}
