//go:build unix

package tcp

import (
	"net"
	"syscall"
	"testing"
	"time"

	"brokerconn/acceptance/proxies"
)

func sockopt(t *testing.T, conn *net.TCPConn, level, name int) (v int) {
	t.Helper()
	raw := proxies.Must(conn.SyscallConn())(t)
	var err error
	if e := raw.Control(func(fd uintptr) { v, err = syscall.GetsockoptInt(int(fd), level, name) }); e != nil ||
		err != nil {
		t.Fatal(e, err)
	}
	return v
}

// What the system reports in the end, whatever Go sets on its own after a connect.
func TestSocketsAreAsAskedFor(t *testing.T) {
	noDelay := func(v int) SocketOption { return SocketOption{syscall.IPPROTO_TCP, syscall.TCP_NODELAY, v} }
	for _, c := range []struct {
		name        string
		o           Options
		level, opt  int
		want, least int
	}{
		{name: "no delay by default", level: syscall.IPPROTO_TCP, opt: syscall.TCP_NODELAY, want: 1},
		{name: "delay", o: Options{DisableNoDelay: true}, level: syscall.IPPROTO_TCP, opt: syscall.TCP_NODELAY},
		{name: "delay by option", o: Options{SocketOptions: []SocketOption{noDelay(1), noDelay(0)}},
			level: syscall.IPPROTO_TCP, opt: syscall.TCP_NODELAY},
		{name: "no delay by option", o: Options{DisableNoDelay: true, SocketOptions: []SocketOption{noDelay(1)}},
			level: syscall.IPPROTO_TCP, opt: syscall.TCP_NODELAY, want: 1},
		{name: "keep-alive by default", level: syscall.SOL_SOCKET, opt: syscall.SO_KEEPALIVE, want: 1},
		{name: "no keep-alive", o: Options{KeepAlive: net.KeepAliveConfig{Idle: -1}}, level: syscall.SOL_SOCKET,
			opt: syscall.SO_KEEPALIVE},
		{name: "no keep-alive by option", o: Options{SocketOptions: []SocketOption{{syscall.SOL_SOCKET,
			syscall.SO_KEEPALIVE, 0}}}, level: syscall.SOL_SOCKET, opt: syscall.SO_KEEPALIVE},
		{name: "keep-alive", o: Options{KeepAlive: net.KeepAliveConfig{Enable: true, Idle: time.Minute}},
			level: syscall.SOL_SOCKET, opt: syscall.SO_KEEPALIVE, want: 1},
		{name: "keep-alive by option", o: Options{SocketOptions: []SocketOption{{syscall.SOL_SOCKET,
			syscall.SO_KEEPALIVE, 1}}}, level: syscall.SOL_SOCKET, opt: syscall.SO_KEEPALIVE, want: 1},
		{name: "send buffer", o: Options{SendBufferBytes: 20_000}, level: syscall.SOL_SOCKET, opt: syscall.SO_SNDBUF,
			least: 20_000},
		{name: "receive buffer", o: Options{ReceiveBufferBytes: 20_000}, level: syscall.SOL_SOCKET,
			opt: syscall.SO_RCVBUF, least: 20_000},
		{name: "an option after the buffer", o: Options{ReceiveBufferBytes: 200_000,
			SocketOptions: []SocketOption{{syscall.SOL_SOCKET, syscall.SO_RCVBUF, 20_000}}},
			level: syscall.SOL_SOCKET, opt: syscall.SO_RCVBUF, least: 20_000},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := proxies.Must(dial(t, c.o))(t)
			got := sockopt(t, conn, c.level, c.opt)
			if c.least > 0 { // Linux doubles what is asked for
				if got < c.least || got > 2*c.least {
					t.Errorf("the system reports %d, want %d or twice that", got, c.least)
				}
			} else if (got != 0) != (c.want != 0) { // BSD answers a flag with any number
				t.Errorf("the system reports %d, want %d", got, c.want)
			}
		})
	}
}
