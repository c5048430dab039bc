package scram_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"brokerconn/adapters/sasl"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// A user name and a password from a configuration.
func ExampleNew() {
	auth, err := scram.New(scram.SHA512, scram.Options{Username: "alice", Password: ports.NewSecret("opensesame")})
	if err != nil {
		fmt.Println(err)
		return
	}
	cfg := broker.Config{Host: "kafka.example.org", Authenticators: []ports.Authenticator{auth}}
	fmt.Println(cfg.Authenticators[0].Mechanism())
	// Output: SCRAM-SHA-512
}

// A delegation token (KIP-48) from CreateDelegationToken: its id, and its HMAC in
// base64.
func ExampleNew_delegationToken() {
	auth, err := scram.New(scram.SHA256, scram.Options{
		Username:        "Wq9Gz1sHTyuRNlvzZ6lKzg",
		Password:        ports.NewSecret("+EEuzmUQMqsNuyUMBKDPzh2VqHCZhS2TUK2iUqvzTXE="),
		DelegationToken: true,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	// broker.Dial(ctx, broker.Config{Authenticators: []ports.Authenticator{auth}, ...})
	fmt.Println(auth.Mechanism())
	// Output: SCRAM-SHA-256
}

// A password that changes: it is read at each login, and keys are derived when it has
// changed.
func ExampleNew_credentials() {
	auth, err := scram.New(scram.SHA512, scram.Options{
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
	// Output: SCRAM-SHA-512
}

func vault(context.Context, string) (ports.Secret, error) { return ports.NewSecret("opensesame"), nil }

// A failed login has a reason. Here a broker requests ten million iterations, which
// would take nine seconds of CPU. The error of broker.Dial wraps this error and has its
// hint. With a fixed source of nonces and an inline Runner a login is the same each time.
func ExampleError() {
	auth, err := scram.New(scram.SHA256, scram.Options{
		Username: "alice",
		Password: ports.NewSecret("opensesame"),
		Nonce:    strings.NewReader("always the same 24 bytes"),
		Runner:   func(work func()) { work() },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	login := auth.Begin(ports.Endpoint{})
	defer login.Close()
	login.Next(nil)
	first, _, _ := login.Result()
	fmt.Printf("%s\n", first)

	_, nonce, _ := strings.Cut(string(first), ",r=")
	login.Next([]byte("r=" + nonce + "theirs,s=c2FsdA==,i=10000000"))
	_, _, err = login.Result()
	var failure *scram.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Reason)
		fmt.Println(failure)
		fmt.Println(failure.Hint())
	}
	// Output:
	// n,,n=alice,r=YWx3YXlzIHRoZSBzYW1lIDI0IGJ5dGVz
	// iterations-too-high
	// scram: the broker requests too many iterations: 10000000, the limit is 1000000
	// if the count is intended, raise Options.MaxIterations
}
