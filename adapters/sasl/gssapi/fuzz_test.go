package gssapi

import (
	"context"
	"encoding/asn1"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Bytes that others write. What is fuzzed is called without the net that the
// exchange has beneath it: a panic is a failure here. Where a key protects the
// bytes, both what is outside and what is inside are fuzzed, since a broker and a KDC
// have the key.

// fuzzContext is a context whose first token was sent, and what the broker knows.
func fuzzContext(w *world) (*securityContext, *broker) {
	o := w.options()
	o.Principal, o.Password = "alice", secretOf("opensesame")
	a, err := New(o)
	if err != nil {
		panic(err)
	}
	c := newContext(a.tickets.kdc, w.ticket("kafka", "broker.example.org"))
	token, err := c.request()
	if err != nil {
		panic(err)
	}
	b := w.broker()
	if err := b.accept(token); err != nil {
		panic(err)
	}
	return c, b
}

func mustBeTyped(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if err != nil && !errors.As(err, &e) {
		t.Errorf("%v is no *Error", err)
	}
	if err != nil && strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r == 0x7f }) {
		t.Errorf("%q has control characters in it", err)
	}
}

func FuzzProof(f *testing.F) {
	w := newWorld()
	c, b := fuzzContext(w)
	honest := b.proof()
	f.Add(honest, []byte{})
	f.Add(krbError(errorcode.KRB_AP_ERR_SKEW, "text")(nil), []byte{})
	f.Add([]byte{}, []byte("\x7b\x1e\x30\x1c\xa0\x11\x18\x0f20261122000000Z\xa1\x03\x02\x01\x01\xa3\x02\x02\x00"))
	f.Fuzz(func(t *testing.T, token, inside []byte) {
		again := *c
		mustBeTyped(t, again.proved(token))
		if len(inside) > 0 {
			again = *c
			err := again.proved(gssToken(tokenAPRep, sealed(w, c.ticket.key, inside)))
			mustBeTyped(t, err)
			if err == nil && !usable(again.key) {
				t.Errorf("the context has a key of type %d and %d octets", again.key.KeyType, len(again.key.KeyValue))
			}
		}
	})
}

// sealed is a KRB_AP_REP around what is given.
func sealed(w *world, key types.EncryptionKey, inside []byte) []byte {
	part, err := crypto.GetEncryptedData(inside, key, keyusage.AP_REP_ENCPART, 0)
	if err != nil {
		panic(err)
	}
	message, err := asn1.Marshal(messages.APRep{PVNO: 5, MsgType: 15, EncPart: part})
	if err != nil {
		panic(err)
	}
	return asn1tools.AddASNAppTag(message, 15)
}

func FuzzOffer(f *testing.F) {
	w := newWorld()
	c, b := fuzzContext(w)
	if err := c.proved(b.proof()); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{}, uint16(0), byte(0), uint16(0), []byte{1, 0, 0, 0}, uint16(0))
	f.Add([]byte{5, 4, 1, 0xff, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0xe8}, uint16(1), byte(1), uint16(1), []byte{7, 1, 0, 0}, uint16(12))
	f.Fuzz(func(t *testing.T, raw []byte, at uint16, mask byte, cut uint16, offer []byte, rrc uint16) {
		if _, err := c.unwrap(raw); err == nil {
			t.Errorf("%x was taken for a wrap token", raw)
		}
		b.offer, b.rrc = append([]byte{}, offer...), rrc
		honest := b.wrapped()
		token := append([]byte{}, honest...)
		token[int(at)%len(token)] ^= mask
		token = token[:len(token)-int(cut)%(len(token)+1)]
		got, err := c.unwrap(token)
		if err == nil && string(got) != string(offer) {
			t.Errorf("%x became %x out of %x", honest, got, token)
		}
		answer, err := c.chosen(token)
		mustBeTyped(t, err)
		if err == nil && (len(offer) != 4 || offer[0]&1 == 0) {
			t.Errorf("the offer %x was answered with %x", offer, answer)
		}
	})
}

// FuzzKDCAnswer: a whole answer, what it says about deriving a key, and what is
// within its encrypted part.
func FuzzKDCAnswer(f *testing.F) {
	w := newWorld()
	o := w.options()
	o.Principal, o.Password = "alice", secretOf("opensesame")
	k := mustNew(f, o).tickets.kdc
	alice := principal{nameOf("alice"), worldRealm}
	key := w.clientKey("alice")
	secret := keyring{{alice, 1, key}}
	tgt := w.ticket("krbtgt", worldRealm)
	part := messages.EncKDCRepPart{
		Key: key, Nonce: 1, Flags: types.NewKrbFlags(), AuthTime: time.Now().UTC(), EndTime: time.Now().UTC().Add(time.Hour),
		SRealm: worldRealm, SName: nameOf("krbtgt", worldRealm), LastReqs: []messages.LastReq{},
	}
	plain, err := part.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(w.refuse(errorcode.KDC_ERR_PREAUTH_REQUIRED, nameOf("krbtgt", worldRealm), methods(18, nil)), methods(18, []byte{0, 0, 16, 0}), plain)
	f.Add([]byte{0x6b, 0}, methods(17, nil), []byte{0x79, 0})
	f.Fuzz(func(t *testing.T, answer, data, inside []byte) {
		request, err := k.newASRequest(alice, secret)
		if err != nil {
			t.Fatal(err)
		}
		_, err = k.readAS(answer, request, alice, secret)
		mustBeTyped(t, err)
		mustBeTyped(t, k.prove(request, data, alice, secret))
		part, err := crypto.GetEncryptedData(inside, key, keyusage.AS_REP_ENCPART, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = k.open(&answered{
			KDCRepFields: messages.KDCRepFields{CRealm: worldRealm, CName: alice.name, EncPart: part},
			key:          key, usage: keyusage.AS_REP_ENCPART, client: alice, asked: request.ReqBody,
		})
		mustBeTyped(t, err)

		w.answer = func([]byte) []byte { return framed(answer) }
		_, err = k.exchange(context.Background(), tgt, principal{nameOf("kafka", "broker.example.org"), worldRealm}, preferred, nil)
		mustBeTyped(t, err)
	})
}

func FuzzConfig(f *testing.F) {
	f.Add(worldConfig)
	f.Add("[libdefaults]\n default_ccache_name = FILE:/tmp/x_%{uid}\n[realms]\n A = {\n auth_to_local_names = {\n x = y\n }\n kdc = a\n }\n")
	f.Add("[realms]\n}\n{\n=\n")
	f.Add("[domain_realm]\n=")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "include") {
			return // it would read files
		}
		if c, err := loadConf(text, ""); err == nil && text != "" {
			c.realmOf("broker.example.org")
			c.cacheFile()
			if len(c.asTypes) == 0 || len(c.tgsTypes) == 0 {
				t.Error("no encryption type is left")
			}
		}
	})
}

func FuzzKeytab(f *testing.F) {
	w := newWorld()
	f.Add(w.keytab(f))
	f.Add([]byte{5, 2, 0x80, 0, 0, 0})
	f.Add([]byte{5, 1, 1, 0, 0, 0, 0})
	alice := principal{nameOf("alice"), worldRealm}
	f.Fuzz(func(t *testing.T, data []byte) {
		k, ok := parseKeytab(data)
		if !ok {
			return
		}
		k.names()
		for _, etype := range k.order(alice, preferred) {
			k.key(alice, etype, nil)
		}
	})
}

func FuzzTicketCache(f *testing.F) {
	w := newWorld()
	alice := principal{nameOf("alice"), worldRealm}
	f.Add(cacheBytes(4, alice, w.ticket("krbtgt", worldRealm)))
	f.Add(cacheBytes(3, alice, w.ticket("krbtgt", worldRealm)))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseCache(data)
		if err == nil {
			c.find(granting(worldRealm, worldRealm))
		}
	})
}
