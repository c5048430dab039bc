package plain_test

import (
	"context"
	"fmt"

	"brokerconn/adapters/sasl"
	"brokerconn/adapters/sasl/plain"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// A user name and a password from a configuration.
func ExampleNew() {
	auth, err := plain.New(plain.Options{Username: "alice", Password: ports.NewSecret("opensesame")})
	if err != nil {
		fmt.Println(err)
		return
	}
	cfg := broker.Config{Authenticators: []ports.Authenticator{auth}} // and a Host, and a Transport of package tls
	fmt.Println(cfg.Authenticators[0].Mechanism())
	// Output: PLAIN
}

// A password that changes: it is read at each login.
func ExampleNew_credentials() {
	auth, err := plain.New(plain.Options{
		Credentials: func(ctx context.Context) (sasl.Credentials, error) {
			password, err := vault(ctx, "kafka/alice")
			return sasl.Credentials{Username: "alice", Password: password}, err
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	// broker.Dial(ctx, broker.Config{Authenticators: []ports.Authenticator{auth}, ...})
	fmt.Println(auth.Mechanism())
	// Output: PLAIN
}

func vault(context.Context, string) (ports.Secret, error) { return ports.NewSecret("opensesame"), nil }

// New refuses an invalid option, without the password in the error.
func ExampleNew_refused() {
	_, err := plain.New(plain.Options{Username: "alice", Password: ports.NewSecret("opensesame\x00")})
	fmt.Println(err)
	// Output: sasl: Password: contains a NUL
}
