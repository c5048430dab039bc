package socks5_test

import (
	"context"
	"testing"

	"brokerconn/acceptance/hostile"
	"brokerconn/acceptance/proxies"
	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/adapters/socks5"
)

// TestHostileAnswersCostNoMemory: a lie about the length of a name, or anywhere else in the answers of a proxy.
func TestHostileAnswersCostNoMemory(t *testing.T) {
	o := socks5.Options{Proxy: "proxy:1080", Login: tunnel.NewLogin("alice", "opensesame")}
	for lie, said := range hostile.All([]byte("\x05\x02\x01\x00\x05\x00\x00\x03\x02ab\x00\x07")) {
		conn := &proxies.Said{Pieces: 4 << 10}
		hostile.Bounded(t, lie, nil, 0, func() { // an answer has no more than 300 bytes
			conn.Rest = said
			_, _ = socks5.Dial(conn.Dial, o)(context.Background(), "tcp", "broker:9092") // it may be valid
		})
	}
}
