package httpconnect_test

import (
	"context"
	"errors"
	"fmt"
	"net"

	"brokerconn/adapters/httpconnect"
	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/adapters/tcp"
)

// A broker behind a proxy that wants a login. The proxy looks the broker's name up.
func ExampleNew() {
	transport := httpconnect.New(tcp.Dial(tcp.Options{}), httpconnect.Options{
		Proxy: "proxy.example.org:3128",
		Login: tunnel.NewLogin("alice", "opensesame"),
	})
	// broker.Dial(ctx, broker.Config{Host: "kafka.internal", Transport: transport})
	fmt.Println(transport.Dial != nil)
	// Output: true
}

// The kinds of errors.
func ExampleDial() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = l.Close() // no listener is there now

	dial := httpconnect.Dial(tcp.Dial(tcp.Options{}), httpconnect.Options{Proxy: l.Addr().String()})
	_, err = dial(context.Background(), "tcp", "kafka.internal:9092")
	var failure *tunnel.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Kind)
		fmt.Println(failure.Proxy == l.Addr().String(), failure.Target)
	}
	// Output:
	// cannot connect to the proxy
	// true kafka.internal:9092
}
