package unix_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"brokerconn/adapters/unix"
)

// A broker, or a sidecar before one, that listens on a unix socket. The host is
// not looked up; it is what a certificate would be verified against.
func ExampleNew() {
	dir, err := os.MkdirTemp("", "s")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "kafka.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()

	transport := unix.New(unix.Options{Path: path})
	// broker.Dial(ctx, broker.Config{Host: "kafka.example.org", Transport: transport})
	eps, err := transport.Lookup(context.Background(), "kafka.example.org", 9092)
	if err != nil {
		fmt.Println(err)
		return
	}
	conn, err := transport.Dial(context.Background(), eps[0].Network, eps[0].Address)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	fmt.Println(eps[0].Host, conn.RemoteAddr().String() == path)
	// Output: kafka.example.org true
}
