package sasl_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"brokerconn/adapters/sasl"
	"brokerconn/ports"
)

// ticket is a custom mechanism whose first step may block: it fetches the message.
type ticket struct {
	fetch func(context.Context) ([]byte, error)
	run   sasl.Runner
}

func (ticket) Mechanism() string { return "X-TICKET" }

func (ticket) Exposes() bool { return true } // the ticket is sent in clear text

func (m ticket) Begin(e ports.Endpoint) ports.Exchange {
	if !e.Secure {
		return sasl.Refuse(errors.New("no ticket is sent over an insecure link"))
	}
	return sasl.Begin(m.run, func(ctx context.Context, challenge []byte) (response []byte, done bool, err error) {
		switch {
		case challenge == nil: // the start of the login
			response, err = m.fetch(ctx)
			return response, false, err
		case bytes.Equal(challenge, []byte("ok")):
			return nil, true, nil
		}
		return nil, false, fmt.Errorf("%w: %q", sasl.ErrUnexpected, challenge)
	})
}

// A custom mechanism is a function from a challenge to a response. It may block. Here
// the steps run at once, as in a simulation; without a Runner each runs on a goroutine.
func ExampleBegin() {
	m := ticket{
		fetch: func(context.Context) ([]byte, error) { return []byte("a ticket"), nil },
		run:   func(work func()) { work() },
	}
	login := m.Begin(ports.Endpoint{Host: "kafka.example.org", Secure: true})
	defer login.Close()
	for _, challenge := range [][]byte{nil, []byte("ok")} {
		login.Next(challenge)
		response, done, err := login.Result()
		fmt.Printf("%q %v %v\n", response, done, err)
	}

	open := m.Begin(ports.Endpoint{Host: "kafka.example.org"})
	open.Next(nil)
	_, _, err := open.Result()
	fmt.Println(err)
	// Output:
	// "a ticket" false <nil>
	// "" true <nil>
	// no ticket is sent over an insecure link
}
