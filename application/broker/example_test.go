package broker_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// startBroker starts franz-go's embedded broker.
func startBroker() (address string, stop func()) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "letters"))
	if err != nil {
		panic(err)
	}
	return cluster.ListenAddrs()[0], cluster.Close
}

// Connect to a broker, ask it something, typed.
func ExampleDial() {
	address, stop := startBroker()
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	host, port, err := broker.ParseAddress(address)
	if err != nil {
		fmt.Println(err)
		return
	}
	conn, err := broker.Dial(ctx, broker.Config{Host: host, Port: port})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	resp, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, conn)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(resp.Brokers), "broker,", len(resp.Topics), "topic")
	// Output: 1 broker, 1 topic
}

// Which release a broker is, and how much that says: a broker that speaks Kafka
// without being Apache Kafka is like no release, and the nearest is named.
func ExampleConn_CheckVersion() {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.MaxVersions(kversion.V3_7_0()))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cluster.Close()
	ctx := context.Background()
	host, port, _ := broker.ParseAddress(cluster.ListenAddrs()[0])
	conn, err := broker.Dial(ctx, broker.Config{Host: host, Port: port})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()

	verdict, err := conn.CheckVersion(ctx, broker.Check{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(verdict)
	switch verdict.Kind {
	case broker.Exact:
		fmt.Println("it is", verdict.Low)
	case broker.Custom:
		fmt.Println("most like", verdict.Low.Tuple())
	}
	// Output:
	// custom, nearest 3.7
	// most like [3 7]
}

// Send does not wait: a window of requests is under way at once, and their
// answers come in order.
func ExampleConn_Send() {
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

	var window []*broker.Future
	for range 5 {
		f, err := conn.Send(ctx, kmsg.NewPtrMetadataRequest())
		if err != nil {
			fmt.Println(err)
			return
		}
		window = append(window, f)
	}
	for _, f := range window {
		resp, err := f.Wait(ctx)
		fmt.Println(len(resp.(*kmsg.MetadataResponse).Topics), err)
	}
	// Output:
	// 1 <nil>
	// 1 <nil>
	// 1 <nil>
	// 1 <nil>
	// 1 <nil>
}

// A proxy passes bodies on without knowing what is in them.
func ExampleConn_RequestRaw() {
	address, stop := startBroker()
	defer stop()
	ctx := context.Background()
	host, port, _ := broker.ParseAddress(address)
	conn, err := broker.Dial(ctx, broker.Config{Host: host, Port: port, NoReconnect: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()

	allTopics := []byte{0xff, 0xff, 0xff, 0xff} // Metadata v1: a null array
	body, err := conn.RequestRaw(ctx, &ports.RawRequest{APIKey: 3, APIVersion: 1, Body: allTopics})
	fmt.Println(len(body) > 20, err)
	// Output: true <nil>
}

// A program that only looks at a response does so where it lies, and no memory is allocated for it.
func ExampleConn_RequestRawFunc() {
	address, stop := startBroker()
	defer stop()
	ctx := context.Background()
	host, port, _ := broker.ParseAddress(address)
	conn, err := broker.Dial(ctx, broker.Config{Host: host, Port: port, NoReconnect: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()

	allTopics := []byte{0xff, 0xff, 0xff, 0xff} // Metadata v1: a null array
	var brokers uint32
	err = conn.RequestRawFunc(ctx, &ports.RawRequest{APIKey: 3, APIVersion: 1, Body: allTopics},
		func(body []byte) error {
			if len(body) < 4 {
				return io.ErrUnexpectedEOF
			}
			brokers = binary.BigEndian.Uint32(body) // the body itself must not be kept
			return nil
		})
	fmt.Println(brokers, err)
	// Output: 1 <nil>
}

// Any function that yields a net.Conn is a transport: a tunnel, a socket of
// another kind, or, as here, one that remembers where it was sent.
func ExampleConfig_transport() {
	address, stop := startBroker()
	defer stop()

	tunnel := &netlink.Transport{
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			fmt.Println("dialling", network)
			var d net.Dialer
			return d.DialContext(ctx, network, address)
		},
	}
	host, port, _ := broker.ParseAddress(address)
	conn, err := broker.Dial(context.Background(), broker.Config{Host: host, Port: port, Transport: tunnel})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	fmt.Println(conn.State())
	// Output:
	// dialling tcp
	// Connected
}

// Hooks tell what happens, step by step.
func ExampleHooks() {
	address, stop := startBroker()
	defer stop()
	host, port, _ := broker.ParseAddress(address)
	conn, err := broker.Dial(context.Background(), broker.Config{Host: host, Port: port, Hooks: &broker.Hooks{
		StateChanged: func(from, to broker.State, _ broker.Endpoint, _ error) { fmt.Println(from, "->", to) },
		Versions: func(_ broker.Endpoint, v *broker.Versions) {
			_, produce, _ := v.Range(0)
			fmt.Println("Produce up to", produce >= 9)
		},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	conn.Close()
	// Output:
	// Disconnected -> Connecting
	// Connecting -> NegotiatingVersions
	// Produce up to true
	// NegotiatingVersions -> Connected
	// Connected -> Closed
}
