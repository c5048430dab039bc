package gssapi

import (
	"context"
	"testing"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/sasl/gssapi/krb5"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
)

// Input from outside. The functions are called without the recover of a login, so a
// panic fails the test. Where a key protects the bytes, both the outside and the
// inside are fuzzed, since a broker has the key.

// fuzzContext is a context whose first token was sent, and the broker that read it.
func fuzzContext(f *testing.F) (*securityContext, *fakeBroker) {
	a, client := newTestAuthenticator()
	ticket := saslpeer.Must(client.Ticket(context.Background(), client.Service("kafka", testEndpoint.Host)))
	c := newContext(ticket, saslpeer.Must(a.client.Authenticator(ticket)))
	b := newBroker(client)
	saslpeer.Succeed(f, b.accept(saslpeer.Must(c.request())))
	return c, b
}

func FuzzProof(f *testing.F) {
	c, b := fuzzContext(f)
	honest := b.proof()
	f.Add(honest, []byte{})
	f.Add(krbError(errorcode.KRB_AP_ERR_SKEW, "text")(nil), []byte{})
	f.Add([]byte{}, []byte("\x7b\x1e\x30\x1c\xa0\x11\x18\x0f20261122000000Z\xa1\x03\x02\x01\x01\xa3\x02\x02\x00"))
	f.Fuzz(func(t *testing.T, token, inside []byte) {
		again := *c
		saslpeer.Typed[*Error](t, again.verify(token))
		if len(inside) > 0 {
			again = *c
			err := again.verify(gssToken(tokenAPRep, sealed(c.ticket.Key, inside)))
			saslpeer.Typed[*Error](t, err)
			if err == nil && !krb5.Usable(again.key) {
				t.Errorf("got a key of type %d and %d bytes, want a usable one", again.key.KeyType,
					len(again.key.KeyValue))
			}
		}
	})
}

func FuzzOffer(f *testing.F) {
	c, b := fuzzContext(f)
	saslpeer.Succeed(f, c.verify(b.proof()))
	f.Add([]byte{}, uint16(0), byte(0), uint16(0), []byte{1, 0, 0, 0}, uint16(0))
	f.Add([]byte{5, 4, 1, 0xff, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0xe8}, uint16(1), byte(1), uint16(1),
		[]byte{7, 1, 0, 0}, uint16(12))
	f.Fuzz(func(t *testing.T, raw []byte, at uint16, mask byte, cut uint16, offer []byte, rrc uint16) {
		if _, err := c.unwrap(raw); err == nil {
			t.Errorf("got no error for %x, want one", raw)
		}
		b.offer, b.rrc = append([]byte{}, offer...), rrc
		honest := b.wrapped()
		token := append([]byte{}, honest...)
		token[int(at)%len(token)] ^= mask
		token = token[:len(token)-int(cut)%(len(token)+1)]
		got, err := c.unwrap(token)
		if err == nil && string(got) != string(offer) {
			t.Errorf("offer %x: got %x out of %x", honest, got, token)
		}
		answer, err := c.choose(token)
		saslpeer.Typed[*Error](t, err)
		if err == nil && (len(offer) != 4 || offer[0]&1 == 0) {
			t.Errorf("offer %x: got the answer %x, want an error", offer, answer)
		}
	})
}
