package sasl_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"brokerconn/adapters/sasl"
	"brokerconn/ports"
)

// ticket is a mechanism of one's own, whose first step takes its time: it fetches
// what to send.
type ticket struct {
	fetch func(context.Context) ([]byte, error)
	run   sasl.Runner
}

func (ticket) Mechanism() string { return "X-TICKET" }

func (ticket) Exposes() bool { return true } // whoever reads along has the ticket

func (m ticket) Begin(e ports.Endpoint) ports.Exchange {
	if !e.Secure {
		return sasl.Refuse(errors.New("no ticket is sent over a link that others can read"))
	}
	return sasl.Begin(m.run, func(ctx context.Context, challenge []byte) (response []byte, done bool, err error) {
		switch {
		case challenge == nil: // the start: the broker has said nothing yet
			response, err = m.fetch(ctx)
			return response, false, err
		case bytes.Equal(challenge, []byte("ok")):
			return nil, true, nil
		}
		return nil, false, fmt.Errorf("%w: %q", sasl.ErrUnexpected, challenge)
	})
}

// A mechanism of one's own is a function, from what the broker says to what is
// answered; that it may block is taken care of. Here the steps run at once, as in a
// simulation; without a Runner each is a goroutine.
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
	// no ticket is sent over a link that others can read
}
