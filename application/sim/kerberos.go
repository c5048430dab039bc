package sim

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

// GSSAPI as a script: the exchange has the shape of RFC 4752, and tokens of another kind. A proof
// is a MAC with a key that both sides know.
//
//	client                        broker
//	a number and its proof    ->
//	                          <-  the proof of both
//	an empty token            ->
//	                          <-  the offer of security layers, and its proof
//	the choice of none, and its proof, with which the client is done

// kerberos is the client's side.
type kerberos struct {
	r *run
	account
}

func (*kerberos) Mechanism() string { return "GSSAPI" }

var errProof = errors.New("the broker's proof is wrong")

// noLayer is the offer, and the choice, of no security layer, with a size of 0.
const noLayer = "\x01\x00\x00\x00"

func (k *kerberos) Begin(ports.Endpoint) ports.Exchange {
	ticket := k.user + " " + string(binary.BigEndian.AppendUint64(nil, k.r.w.Stream("tickets").Uint64()))
	key := secretKey
	if k.password == wrongPassword {
		key = wrongPassword
	}
	step := 0
	return sasl.Begin(k.r.work, func(_ context.Context, challenge []byte) (response []byte, done bool, err error) {
		step++
		switch {
		case challenge == nil:
			return []byte(ticket + prove(key, ticket)), false, nil
		case step == 2 && string(challenge) == prove(secretKey, ticket, "broker"):
			return []byte{}, false, nil
		case step == 3 && string(challenge) == noLayer+prove(secretKey, ticket, noLayer, "broker"):
			return []byte(noLayer + prove(key, ticket, noLayer)), true, nil
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

const errKerberos refusedBecause = "Authentication failed due to invalid credentials with SASL mechanism GSSAPI"

// kerberosServer is the broker's side.
func kerberosServer(spoil func(string) string) model.Mechanism {
	return model.Mechanism{Name: "GSSAPI", Begin: func() model.Exchange {
		step, ticket := 0, ""
		return func(token []byte) (challenge []byte, principal string, err error) {
			step++
			switch text := string(token); {
			case step == 1 && len(text) > sha256.Size:
				ticket = text[:len(text)-sha256.Size]
				if text[len(ticket):] == prove(secretKey, ticket) {
					return []byte(spoil(prove(secretKey, ticket, "broker"))), "", nil
				}
			case step == 2 && text == "":
				return []byte(noLayer + prove(secretKey, ticket, noLayer, "broker")), "", nil
			case step == 3 && text == noLayer+prove(secretKey, ticket, noLayer):
				return nil, ticket[:len(ticket)-9], nil
			}
			return nil, "", errKerberos
		}
	}}
}
