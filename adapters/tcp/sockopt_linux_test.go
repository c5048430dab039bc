package tcp

import (
	"net"
	"syscall"
	"testing"
	"time"

	"brokerconn/acceptance/proxies"
)

// TestKeepAliveTimes: the default sends probes within the 240 s after which the first of the large clouds
// forgets, and a peer that is gone is found out before that as well.
func TestKeepAliveTimes(t *testing.T) {
	for _, c := range []struct {
		name                  string
		o                     Options
		idle, interval, count int
	}{
		{"default", Options{}, 60, 15, 4},
		{"set", Options{KeepAlive: net.KeepAliveConfig{Enable: true, Idle: 20 * time.Second, Interval: 5 * time.Second,
			Count: 2}}, 20, 5, 2},
		{"by options", Options{SocketOptions: []SocketOption{{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 30}, {syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, 7},
			{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 3}}}, 30, 7, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn := proxies.Must(dial(t, c.o))(t)
			for _, o := range []struct{ name, want int }{
				{syscall.TCP_KEEPIDLE, c.idle}, {syscall.TCP_KEEPINTVL, c.interval}, {syscall.TCP_KEEPCNT, c.count},
			} {
				if got := sockopt(t, conn, syscall.IPPROTO_TCP, o.name); got != o.want {
					t.Errorf("option %d: got %d, want %d", o.name, got, o.want)
				}
			}
			if got := sockopt(t, conn, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE); got != 1 {
				t.Errorf("SO_KEEPALIVE: got %d, want 1", got)
			}
		})
	}
}
