// Package kerberos has both sides of GSSAPI as a script, for simulations: the exchange has the shape of
// RFC 4752, and tokens of another kind. A proof is a MAC with a key that both sides know.
//
//	client                        broker
//	a number and its proof    ->
//	                          <-  the proof of both
//	an empty token            ->
//	                          <-  the offer of security layers, and its proof
//	the choice of none, and its proof, with which the client is done
package kerberos

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"brokerconn/adapters/sasl"
	"brokerconn/adapters/simulation/model"
	"brokerconn/ports"
)

// Client is the client's side, a [ports.Authenticator].
type Client struct {
	// User is the name that a server derives from a ticket.
	User string
	// Key is what the client proves itself with, and ServerKey what it expects of the server: the same
	// one if it is to succeed.
	Key, ServerKey string
	// Ticket draws the number of a login's ticket.
	Ticket func() uint64
	// Runner runs the steps of a login.
	Runner sasl.Runner
}

// Mechanism returns "GSSAPI".
func (*Client) Mechanism() string { return "GSSAPI" }

var (
	errProof = errors.New("the broker's proof is wrong")
	errLayer = errors.New("the broker requires a security layer")
)

// NoLayer is the offer, and the choice, of no security layer, with a size of 0. Layers is an offer of the two layers of
// RFC 4752, without that.
const (
	NoLayer = "\x01\x00\x00\x00"
	Layers  = "\x06\x00\x10\x00"
)

// ticketSize is the size of the number in a ticket, and the space before it.
const ticketSize = 1 + 8

// Begin begins a login.
func (c *Client) Begin(ports.Endpoint) ports.Exchange {
	ticket := c.User + " " + string(binary.BigEndian.AppendUint64(nil, c.Ticket()))
	step := 0
	return sasl.Begin(c.Runner, func(_ context.Context, challenge []byte) (response []byte, done bool, err error) {
		step++
		switch {
		case challenge == nil:
			return []byte(ticket + prove(c.Key, ticket)), false, nil
		case step == 2 && string(challenge) == prove(c.ServerKey, ticket, "broker"):
			return []byte{}, false, nil
		case step == 3 && len(challenge) > len(NoLayer):
			offer := string(challenge[:len(NoLayer)])
			switch {
			case string(challenge) != offer+prove(c.ServerKey, ticket, offer, "broker"):
			case offer[0]&NoLayer[0] == 0:
				return nil, false, errLayer
			default:
				return []byte(NoLayer + prove(c.Key, ticket, NoLayer)), true, nil
			}
		}
		return nil, false, errProof
	})
}

func prove(key string, parts ...string) string {
	mac := hmac.New(sha256.New, []byte(key))
	for _, part := range parts {
		mac.Write([]byte(part))
	}
	return string(mac.Sum(nil))
}

// refusal is the text of a broker that refuses a login.
type refusal string

func (r refusal) Error() string { return string(r) }

const errRefused refusal = "Authentication failed due to invalid credentials with SASL mechanism GSSAPI"

// Server returns the broker's side. spoil may change its proof.
func Server(key string, spoil func(proof string) string) model.Mechanism {
	return Offering(key, spoil, func() string { return NoLayer })
}

// Offering is Server with an offer of security layers of its own.
func Offering(key string, spoil func(proof string) string, offer func() string) model.Mechanism {
	return model.Mechanism{Name: "GSSAPI", Begin: func() model.Exchange {
		step, ticket := 0, ""
		return func(token []byte) (challenge []byte, principal string, err error) {
			step++
			switch text := string(token); {
			case step == 1 && len(text) > sha256.Size:
				ticket = text[:len(text)-sha256.Size]
				if text[len(ticket):] == prove(key, ticket) {
					return []byte(spoil(prove(key, ticket, "broker"))), "", nil
				}
			case step == 2 && text == "":
				layers := offer()
				return []byte(layers + prove(key, ticket, layers, "broker")), "", nil
			case step == 3 && text == NoLayer+prove(key, ticket, NoLayer):
				return nil, ticket[:len(ticket)-ticketSize], nil
			}
			return nil, "", errRefused
		}
	}}
}
