package franz_test

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/sasl/aws"

	"brokerconn/adapters/sasl/franz"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Amazon's mechanism from franz-go, with credentials that are read at each login.
func ExampleNew() {
	mechanism := aws.ManagedStreamingIAM(func(context.Context) (aws.Auth, error) {
		return aws.Auth{AccessKey: "AKID", SecretKey: "opensesame", SessionToken: "of an hour"}, nil
	})
	auth := franz.New(mechanism, franz.Options{})
	cfg := broker.Config{
		Host: "b-1.demo.kafka.eu-west-1.amazonaws.com", Port: 9098,
		Authenticators: []ports.Authenticator{auth},
	} // and a Transport of package tls
	fmt.Println(cfg.Authenticators[0].Mechanism())
	// Output: AWS_MSK_IAM
}
