package tcp_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"brokerconn/adapters/tcp"
)

// Sockets as a broker on a long thin line wants them: large buffers, and probes
// that keep a firewall from forgetting the connection.
func ExampleNew() {
	transport := tcp.New(tcp.Options{
		SendBufferBytes:    1 << 20,
		ReceiveBufferBytes: 1 << 20,
		KeepAlive:          net.KeepAliveConfig{Enable: true, Idle: 60 * time.Second},
		AddressFamily:      tcp.IPv4,
	})
	// broker.Dial(ctx, broker.Config{Host: "kafka.example.org", Transport: transport})
	fmt.Println(transport.Dial != nil)
	// Output: true
}

// Dial alone, for a transport that wraps it.
func ExampleDial() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	dial := tcp.Dial(tcp.Options{})
	conn, err := dial(context.Background(), "tcp", l.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	fmt.Println(conn.RemoteAddr().String() == l.Addr().String())
	// Output: true
}
