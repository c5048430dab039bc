package gssapi

import (
	"context"
	"testing"

	"brokerconn/acceptance/hostile"
	"brokerconn/acceptance/saslpeer"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
)

// perByte is the memory for each byte of a token: itself, and what its layers are decoded and decrypted to.
const perByte = 4

// TestHostileTokensCostNoMemory: a lie about a length in a token of a broker, or within what it encrypts, costs no
// memory ahead of the bytes that came.
func TestHostileTokensCostNoMemory(t *testing.T) {
	a, client := newTestAuthenticator()
	ticket := saslpeer.Must(client.Ticket(context.Background(), client.Service("kafka", testEndpoint.Host)))
	c := newContext(ticket, saslpeer.Must(a.client.Authenticator(ticket)))
	b := newBroker(client)
	saslpeer.Succeed(t, b.accept(saslpeer.Must(c.request())))
	proof := b.proof()
	verify := func(what string, token []byte) {
		changed := *c
		hostile.Bounded(t, what, token, perByte, func() { _ = changed.verify(token) }) // it may be valid
	}
	for lie, token := range hostile.Lies(proof) {
		verify("proof, "+lie, token)
	}
	for lie, token := range hostile.Lies(krbError(errorcode.KRB_AP_ERR_SKEW, "text")(nil)) {
		verify("error, "+lie, token)
	}
	const part = "\x7b\x1e\x30\x1c\xa0\x11\x18\x0f20261122000000Z\xa1\x03\x02\x01\x01\xa3\x02\x02\x00"
	for lie, inside := range hostile.Lies([]byte(part)) {
		verify("within the proof, "+lie, gssToken(tokenAPRep, sealed(c.ticket.Key, inside)))
	}
	saslpeer.Succeed(t, c.verify(proof))
	for lie, token := range hostile.Lies(b.wrapped()) {
		hostile.Bounded(t, "offer, "+lie, token, perByte, func() { _, _ = c.choose(token) }) // it may be valid
	}
}
