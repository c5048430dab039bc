package broker_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
)

// An error has its kind, how much of the request was sent, and whether a retry is safe.
// Here the peer is a web server.
func ExampleError() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	go func() {
		if peer, err := l.Accept(); err == nil {
			_, _ = peer.Read(make([]byte, 1024))
			_, _ = peer.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			_ = peer.Close()
		}
	}()

	host, port, _ := broker.ParseAddress(l.Addr().String())
	_, err = broker.Dial(context.Background(), broker.Config{Host: host, Port: port})
	var e *broker.Error
	if errors.As(err, &e) {
		fmt.Println("kind:", e.Kind)
		fmt.Println("state:", e.Phase)
		fmt.Println("sent:", e.Sent)
	}
	fmt.Println("a protocol error:", errors.Is(err, broker.ErrProtocol))
	fmt.Println("retriable:", broker.Retriable(err), "safe to retry:", broker.SafeToRetry(err))
	// Output:
	// kind: the peer does not speak Kafka
	// state: NegotiatingVersions
	// sent: not sent
	// a protocol error: true
	// retriable: false safe to retry: false
}

// A Conn connects when it is first needed, and again after a loss. Connect waits for that,
// for as long as its context lasts.
func ExampleConn_Connect() {
	address, stop := startBroker()
	host, port, _ := broker.ParseAddress(address)
	conn, err := broker.NewConn(broker.Config{Host: host, Port: port})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err = kmsg.NewPtrMetadataRequest().RequestWith(ctx, conn)
	fmt.Println("request:", err)

	stop()
	limit, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	err = conn.Connect(limit)
	for err == nil { // the loss is not noticed yet
		err = conn.Connect(limit)
	}
	fmt.Println("gave up:", errors.Is(err, context.DeadlineExceeded))
	fmt.Println("attempts failed:", conn.Stats().FailuresInARow > 0)
	// Output:
	// request: <nil>
	// gave up: true
	// attempts failed: true
}
