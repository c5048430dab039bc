package broker_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/application/broker"
)

// A request that is known to take long gets more time than the others. When it is
// over the connection is dropped; a context's end only ends the waiting.
func ExampleWithRequestTimeout() {
	address, stop := startBroker()
	defer stop()
	ctx := context.Background()
	host, port, _ := broker.ParseAddress(address)
	conn, err := broker.Dial(ctx, broker.Config{Host: host, Port: port, RequestTimeout: 5 * time.Second})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()

	patient := broker.WithRequestTimeout(ctx, time.Minute)
	resp, err := kmsg.NewPtrMetadataRequest().RequestWith(patient, conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(resp.Topics), "topic")
	// Output: 1 topic
}

// Before a program ends: what is under way is finished, and nothing new begins.
func ExampleConn_Drain() {
	address, stop := startBroker()
	defer stop()
	ctx := context.Background()
	host, port, _ := broker.ParseAddress(address)
	conn, err := broker.Dial(ctx, broker.Config{Host: host, Port: port})
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := conn.Send(ctx, kmsg.NewPtrMetadataRequest())
	if err != nil {
		fmt.Println(err)
		return
	}

	limit, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := conn.Drain(limit); err != nil {
		conn.Close() // what is left is cut off
	}
	_, err = f.Wait(ctx)
	fmt.Println("under way:", err)
	_, err = kmsg.NewPtrMetadataRequest().RequestWith(ctx, conn)
	fmt.Println("after it: refused", errors.Is(err, broker.ErrDraining))
	fmt.Println(conn.State())
	// Output:
	// under way: <nil>
	// after it: refused true
	// Closed
}

// A loop drains by asking again as it goes round.
func ExamplePolled_Drain() {
	address, stop := startBroker()
	defer stop()
	host, port, _ := broker.ParseAddress(address)
	conn, err := broker.NewPolled(broker.Config{Host: host, Port: port})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := conn.CheckVersion(10*time.Second, false, nil); err != nil {
		fmt.Println(err)
		return
	}
	conn.Send(kmsg.NewPtrMetadataRequest(), true)
	answers := 0
	for drained := false; !drained; drained = conn.Drain() {
		news := make(chan struct{}, 1)
		conn.Watch(func() {
			select {
			case news <- struct{}{}:
			default:
			}
		})
		select {
		case <-news:
		case <-time.After(time.Until(conn.NextDeadline())):
		}
		answers += len(conn.Recv())
	}
	answers += len(conn.Recv())
	fmt.Println(answers, "answer,", conn.State())
	// Output: 1 answer, Disconnected
}

// What a health page shows.
func ExampleConn_Stats() {
	address, stop := startBroker()
	defer stop()
	ctx := context.Background()
	host, port, _ := broker.ParseAddress(address)
	conn, err := broker.Dial(ctx, broker.Config{Host: host, Port: port})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	for range 3 {
		if _, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, conn); err != nil {
			fmt.Println(err)
			return
		}
	}
	s := conn.Stats()
	fmt.Println(s.State, s.Address == address)
	fmt.Println(s.Requests, "requests,", s.Responses, "answered,", s.Failed, "failed,", s.InFlight, "in flight,",
		s.Waiting, "in line")
	fmt.Println(s.BytesSent > 0, s.BytesReceived > s.BytesSent, time.Since(s.LastReceived) < time.Minute)
	// Output:
	// Connected true
	// 3 requests, 3 answered, 0 failed, 0 in flight, 0 in line
	// true true true
}

// A broker whose release is known is not asked for its API versions: one round trip
// less, and the only way to those before 0.10, which cannot be asked.
func ExampleConfig_release() {
	address, stop := startBroker()
	defer stop()
	ctx := context.Background()
	host, port, _ := broker.ParseAddress(address)
	conn, err := broker.Dial(ctx, broker.Config{
		Host: host, Port: port,
		APIVersion: broker.Release{Major: 2, Minor: 8, Patch: 1},
		Hooks: &broker.Hooks{
			StateChanged: func(from, to broker.State, _ broker.Endpoint, _ error) { fmt.Println(from, "->", to) },
			Warning:      func(text string) { fmt.Println(text) },
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("Metadata v%d\n", resp.Version)
	conn.Close()
	// Output:
	// Disconnected -> Connecting
	// Connecting -> Connected
	// Metadata v11
	// Connected -> Closed
}
