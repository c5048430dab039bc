//go:build acceptance

package acceptance

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"brokerconn/acceptance/fakebroker"
)

// TestBrokerDiesWithItsOwner: when the test process is killed, its broker and the
// ZooKeeper beside it end too.
func TestBrokerDiesWithItsOwner(t *testing.T) {
	must(Fetch(t.Context(), orphan.Version))(t)
	owner := exec.Command(os.Args[0], "-test.run=^TestOwner$", "-test.v")
	owner.Env = append(os.Environ(), "BROKERCONN_OWNER=1", "TMPDIR="+t.TempDir())
	out := must(owner.StdoutPipe())(t)
	fakebroker.Must(t, owner.Start())
	defer owner.Wait()
	defer owner.Process.Kill()
	var pids [2]int
	for lines := bufio.NewScanner(out); pids[1] == 0 && lines.Scan(); {
		fmt.Sscanf(lines.Text(), "broker %d, ZooKeeper %d", &pids[0], &pids[1])
	}
	for _, pid := range pids {
		if pid == 0 || !lives(pid) {
			t.Fatalf("got processes %d, want a broker and a ZooKeeper", pids)
		}
	}
	fakebroker.Must(t, owner.Process.Kill())
	eventually(t, fmt.Sprintf("end of the processes %d with their owner", pids),
		func() bool { return !lives(pids[0]) && !lives(pids[1]) })
}

var orphan = Config{Version: "0.9.0.1"}

// TestOwner is the process that TestBrokerDiesWithItsOwner kills.
func TestOwner(t *testing.T) {
	if os.Getenv("BROKERCONN_OWNER") == "" {
		return
	}
	b := privateBroker(t, orphan)
	fmt.Printf("\nbroker %d, ZooKeeper %d\n", b.PID(), b.beside.pid())
	select {}
}

// lives reports whether a process exists and is not a zombie: an orphan may have no parent
// that reaps it.
func lives(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !bytes.Contains(stat, []byte(") Z")) && !bytes.Contains(stat, []byte(") X"))
}
