package properties_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"brokerconn/application/broker"
	"brokerconn/application/properties"
)

// A health check by the file of a client: the brokers are asked in turn, each over one connection.
func ExampleRead() {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cluster.Close()
	text := "security.protocol=PLAINTEXT\nbootstrap.servers=127.0.0.1:1," + cluster.ListenAddrs()[0]

	file, err := properties.Parse("client.properties", []byte(text)) // or ReadFile
	if err != nil {
		fmt.Println(err)
		return
	}
	settings, err := properties.Read(properties.Guess, file)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, warning := range settings.Warnings() {
		fmt.Println("warning:", warning)
	}
	for _, server := range settings.Servers {
		one := *settings
		one.Servers = []properties.Server{server}
		fmt.Println("answers:", answers(&one))
	}
	// Output:
	// answers: cannot connect
	// answers: <nil>
}

// answers returns why the broker of the settings does not answer, or nil.
func answers(settings *properties.Settings) error {
	cfg, err := settings.Config()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, err := broker.Dial(ctx, cfg)
	if err == nil {
		defer conn.Close()
		_, err = broker.Ping(ctx, conn)
	}
	if e, ok := errors.AsType[*broker.Error](err); ok {
		return e.Kind // for a person: e.Explain()
	}
	return err
}
