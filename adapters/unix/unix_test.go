package unix_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"brokerconn/acceptance/proxies"
	"brokerconn/adapters/unix"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// folder is one for sockets. The name of a t.TempDir may be too long for them.
func folder(t *testing.T) string {
	t.Helper()
	dir := proxies.Must(os.MkdirTemp("", "s"))(t)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func listen(t *testing.T, path string) *net.UnixListener {
	t.Helper()
	l := proxies.Must(net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"}))(t)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func TestContract(t *testing.T) {
	porttest.Transport(t, func(t *testing.T) porttest.Harness {
		dir := folder(t)
		path := filepath.Join(dir, "kafka.sock")
		l := listen(t, path)
		return porttest.Harness{
			Transport: unix.New(unix.Options{Path: path}), Host: "broker.test", Port: 9092,
			Endpoint: ports.Endpoint{Host: "broker.test", Network: "unix", Address: path},
			Refused:  ports.Endpoint{Host: "broker.test", Network: "unix", Address: filepath.Join(dir, "none")},
			Accept: func() io.ReadWriteCloser {
				conn, err := l.Accept()
				if err != nil {
					return nil
				}
				return conn
			},
		}
	})
}

func TestLookup(t *testing.T) {
	find := unix.Lookup(unix.Options{Path: "/run/kafka.sock"})
	for _, host := range []string{"broker.example.org", "192.0.2.7", ""} {
		eps, err := find(context.Background(), host, 9092)
		want := ports.Endpoint{Host: host, Network: "unix", Address: "/run/kafka.sock"}
		if err != nil || len(eps) != 1 || eps[0] != want {
			t.Errorf("%q: %+v, %v; want %+v", host, eps, err, want)
		}
	}
}

func TestFailures(t *testing.T) {
	dir := folder(t)
	stale := filepath.Join(dir, "stale")
	l := listen(t, stale)
	l.SetUnlinkOnClose(false)
	_ = l.Close()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	const open = "permissions"
	closed := filepath.Join(dir, "closed")
	listen(t, closed)
	if err := os.Chmod(closed, 0); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ network, path, want string }{
		{"unix", filepath.Join(dir, "none"), "no socket has that path; has its server been started? dial unix "},
		{"unix", stale, "no server listens there: the file is not a socket, or its server has ended. dial unix "},
		{"unix", file, "no server listens there"},
		{"unix", closed, open},
		{"unix", filepath.Join(dir, strings.Repeat("x", 120)), "the path is too long for a socket. dial unix "},
		{"tcp", "127.0.0.1:9092", "tcp 127.0.0.1:9092 is not a unix socket"},
	} {
		switch {
		case runtime.GOOS == "windows" && c.network == "unix" && c.path != stale:
			continue // its errors have other numbers, and no words here
		case c.want == open && os.Geteuid() == 0:
			continue // root may do everything
		}
		conn, err := unix.Dial()(context.Background(), c.network, c.path)
		if conn != nil || err == nil || !strings.HasPrefix(err.Error(), "unix: ") ||
			!strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v; want %q", c.network, c.path, err, c.want)
		}
		if op := (*net.OpError)(nil); c.network == "unix" && !errors.As(err, &op) {
			t.Errorf("%v wraps no net.OpError", err)
		}
	}
}

func TestDialIsCancelled(t *testing.T) {
	path := filepath.Join(folder(t), "s")
	listen(t, path)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := unix.Dial()(ctx, "unix", path); err == nil {
		t.Error("dial with a context that is over succeeded")
	}
}

func TestAbstractName(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux: it alone has abstract names")
	}
	name := "@" + filepath.Base(folder(t)) + "-brokerconn"
	listen(t, name)
	conn := proxies.Must(unix.Dial()(context.Background(), "unix", name))(t)
	_ = conn.Close()
}

func TestMisuse(t *testing.T) {
	for _, c := range []struct{ path, want string }{
		{"", "unix: Path is not set: the path of the socket"},
		{"\x00kafka", `unix: Path "\x00kafka": a path has no zero bytes; an abstract name is written with @`},
	} {
		o := unix.Options{Path: c.path}
		if err := o.Check(); err == nil || err.Error() != c.want {
			t.Errorf("Check: %v; want %q", err, c.want)
		}
		func() {
			defer func() {
				if r := recover(); r != c.want {
					t.Errorf("panicked with %q, want %q", r, c.want)
				}
			}()
			unix.New(o)
		}()
	}
}
