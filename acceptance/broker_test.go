//go:build acceptance

package acceptance

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"brokerconn/acceptance/fakebroker"
)

func TestBrokerAnswers(t *testing.T) {
	b := sharedBroker(t)
	conn := dial(t, b.Addr())
	for correlation := range byte(3) {
		fakebroker.Must(t, askVersions(conn, correlation))
		expectAnswer(t, conn, correlation)
	}
	if id, _ := cluster(t, b.Addr()); id != b.ClusterID() {
		t.Errorf("cluster id %q, want %q", id, b.ClusterID())
	}
	if !strings.Contains(b.Log(), "Kafka Server started") {
		t.Errorf("got the log\n%s\nwant the start in it", b.Log())
	}
}

// TestBrokerLife calls every method on one broker.
func TestBrokerLife(t *testing.T) {
	dir := tempDir(t)
	b := privateBroker(t, Config{})
	addr, pid := b.Addr(), b.PID()
	createTopic(t, addr, "kept")

	conn := dial(t, addr)
	fakebroker.Must(t, b.Pause())
	fakebroker.Must(t, askVersions(conn, 1))
	expectSilence(t, conn)
	late := dial(t, addr) // the kernel accepts for it
	fakebroker.Must(t, askVersions(late, 2))
	expectSilence(t, late)
	fakebroker.Must(t, b.Resume())
	expectAnswer(t, conn, 1)
	expectAnswer(t, late, 2)

	fakebroker.Must(t, b.Kill())
	expectGone(t, b, conn)

	stop := func() error { return b.Stop(t.Context()) }
	for restarts, end := range []struct {
		name string
		do   func() error
	}{
		{"kill", b.Kill},
		{"stop", stop},
		{"stop while paused", func() error { return errors.Join(b.Pause(), stop()) }},
	} {
		if err := b.Restart(t.Context()); err != nil {
			t.Fatalf("restart before %s: %v", end.name, err)
		}
		if n := strings.Count(b.logFrom(brokerLog, 0), "Kafka Server started"); n != restarts+2 {
			t.Errorf("restart %d: got %d starts in the log, want %d", restarts+1, n, restarts+2)
		}
		if b.Addr() != addr || b.PID() == pid || b.PID() == 0 {
			t.Fatalf("restart: got %s as process %d, want %s as another process than %d", b.Addr(), b.PID(), addr, pid)
		}
		pid = b.PID()
		id, topics := cluster(t, addr)
		if id != b.ClusterID() || !slices.Contains(topics, "kept") {
			t.Fatalf("restarted with cluster id %q and topics %q; want id %q and the topic kept", id, topics,
				b.ClusterID())
		}
		conn := dial(t, addr)
		if err := end.do(); err != nil {
			t.Fatalf("%s: %v", end.name, err)
		}
		expectGone(t, b, conn)
	}

	for what, err := range map[string]error{"pause": b.Pause(), "resume": b.Resume()} {
		if err == nil || !strings.Contains(err.Error(), "not running") {
			t.Errorf("%s of a broker that is not running: got %v, want an error that says so", what, err)
		}
	}
	if err := errors.Join(b.Kill(), b.Stop(t.Context()), b.Close(), b.Close()); err != nil {
		t.Errorf("Kill, Stop and Close twice after the end: got %v", err)
	}
	if err := b.Restart(t.Context()); err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("restart of a closed broker: got %v, want an error that says so", err)
	}
	expectNothingLeft(t, dir)
}

// expectGone checks a client's view of a broker that has ended.
func expectGone(t *testing.T, b *Broker, conn net.Conn) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(patience))
	n, err := conn.Read(make([]byte, 1))
	if n != 0 || !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read from a broker that is gone: got %d bytes, %v; want EOF or a reset", n, err)
	}
	if conn, err := net.DialTimeout("tcp", b.Addr(), patience); err == nil {
		conn.Close()
		t.Errorf("dial %s after the end: got a connection", b.Addr())
	} else if !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial a broker that is gone: got %v, want ECONNREFUSED", err)
	}
	if b.PID() != 0 {
		t.Errorf("process id after the end: got %d, want 0", b.PID())
	}
}

// expectNothingLeft checks that dir, in which brokers had their directories, is
// empty and that no process works on it.
func expectNothingLeft(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 0 {
		t.Errorf("in %s: got %v, %v; want no file", dir, entries, err)
	}
	if runtime.GOOS != "linux" {
		return // no /proc to look through
	}
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil || len(commands) == 0 {
		t.Fatalf("no processes in /proc: %v", err)
	}
	for _, file := range commands {
		if command, err := os.ReadFile(file); err == nil && strings.Contains(string(command), dir) {
			t.Errorf("got a process, %s: %s; want none", file, strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
}

func TestCloseWhilePaused(t *testing.T) {
	dir := tempDir(t)
	b := privateBroker(t, Config{})
	must(os.Stat(b.Dir()))(t)
	fakebroker.Must(t, errors.Join(b.Pause(), b.Close()))
	if _, err := os.Stat(b.Dir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("stat of the directory after Close: got %v, want ErrNotExist", err)
	}
	expectNothingLeft(t, dir)
}

func TestStartGivenUp(t *testing.T) {
	for _, c := range []struct {
		when, version string
		reached       func(dir string) bool
	}{
		{"before", "", func(string) bool { return true }},
		{"while formatting", "", func(dir string) bool { return !exists(dir, "*/data") && logged(dir) > 0 }},
		{"while starting", "", func(dir string) bool { return exists(dir, "*/data/meta.properties") }},
		{"while ZooKeeper starts", "0.9.0.1", func(dir string) bool { return exists(dir, "*/"+besideLog) }},
	} {
		t.Run(c.when, func(t *testing.T) {
			dir := tempDir(t)
			ctx := contextUntil(t, func() bool { return c.reached(dir) })
			if err := startFails(t, ctx, Config{Version: c.version}); !errors.Is(err, context.Canceled) {
				t.Errorf("start with a canceled context: got %v", err)
			}
		})
	}
}

// tempDir gives the test its own directory for temporary files.
func tempDir(t *testing.T) string {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	return dir
}

// startFails returns the error of a start, which must leave nothing in tempDir; nil if the broker started.
func startFails(t *testing.T, ctx context.Context, config Config) error {
	t.Helper()
	b, err := Start(ctx, config)
	if err == nil {
		b.Close()
	}
	expectNothingLeft(t, os.Getenv("TMPDIR"))
	return err
}

func TestRestartGivenUp(t *testing.T) {
	dir := tempDir(t)
	b := privateBroker(t, Config{})
	fakebroker.Must(t, b.Kill())
	before := logged(dir)
	err := b.Restart(contextUntil(t, func() bool { return logged(dir) > before }))
	if !errors.Is(err, context.Canceled) || b.PID() != 0 {
		t.Errorf("restart with a canceled context: got %v, process %d; want context.Canceled, 0", err, b.PID())
	}
	if err := b.Restart(t.Context()); err != nil {
		t.Errorf("the next restart: got %v", err)
	}
}

// contextUntil returns a context that is cancelled as soon as something is true.
func contextUntil(t *testing.T, reached func() bool) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	if reached() {
		cancel()
		return ctx
	}
	var watch sync.WaitGroup
	watch.Go(func() {
		for ctx.Err() == nil && !reached() {
			runtime.Gosched()
		}
		cancel()
	})
	t.Cleanup(func() {
		cancel()
		watch.Wait()
	})
	return ctx
}

// logged returns how much the broker in a directory of dir has logged.
func logged(dir string) int64 {
	logs, _ := filepath.Glob(filepath.Join(dir, "*", "broker.log"))
	if len(logs) == 1 {
		if info, err := os.Stat(logs[0]); err == nil {
			return info.Size()
		}
	}
	return 0
}

func exists(dir, pattern string) bool {
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	return err == nil && len(found) > 0
}

func TestStartTimeout(t *testing.T) {
	tempDir(t)
	err := startFails(t, t.Context(), Config{StartTimeout: time.Millisecond})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("start with a timeout of 1 ms: got %v, want DeadlineExceeded", err)
	}
}

// TestStartErrorHasTheReason: the error of a start includes the reason in the broker's log.
func TestStartErrorHasTheReason(t *testing.T) {
	for name, test := range map[string]struct {
		properties map[string]string
		want       string
	}{
		"while formatting": {map[string]string{"node.id": "many"}, "Invalid value many for configuration broker.id"},
		"while starting":   {map[string]string{"authorizer.class.name": "no.such.Class"}, "no.such.Class"},
	} {
		t.Run(name, func(t *testing.T) {
			tempDir(t)
			err := startFails(t, t.Context(), Config{Properties: test.properties})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestPortTaken(t *testing.T) {
	for _, version := range []string{Newest, "0.9.0.1"} {
		t.Run(version, func(t *testing.T) { portTaken(t, Config{Version: version}) })
	}
}

func portTaken(t *testing.T, config Config) {
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port

	picks := 0
	b, err := start(t.Context(), config, func(l []Listener) (addrs, error) {
		a, err := freePorts(l)
		switch picks++; picks {
		case 1:
			a.ports[Plaintext] = taken
		case 2:
			a.aux = taken
		}
		return a, err
	})
	if err != nil {
		t.Fatalf("third start, after two with a taken port: got %v", err)
	}
	defer b.Close()
	if picks != 3 {
		t.Errorf("started at attempt %d, want 3", picks)
	}

	// A restart keeps its ports.
	fakebroker.Must(t, b.Kill())
	thief := must(net.Listen("tcp", b.Addr()))(t)
	err = b.Restart(t.Context())
	if !errors.Is(err, errPortTaken) || !strings.Contains(err.Error(), b.Addr()) {
		t.Errorf("restart on a taken port: got %v, want errPortTaken with the address", err)
	}
	thief.Close()
	if err := b.Restart(t.Context()); err != nil {
		t.Errorf("restart on a free port: got %v", err)
	}
}
