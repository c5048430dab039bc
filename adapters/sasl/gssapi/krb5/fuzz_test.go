package krb5

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"brokerconn/acceptance/saslpeer"
)

// Input from outside. The functions are called without the recover of a login, so a
// panic fails the test. Where a key protects the bytes, both the outside and the
// inside are fuzzed, since a KDC has the key.

// FuzzKDCAnswer: a whole answer, what it says about deriving a key, and what is
// within its encrypted part.
func FuzzKDCAnswer(f *testing.F) {
	fake := newKDC()
	k := fake.alice().kdc
	alice := inRealm("alice")
	key := fake.clientKey("alice")
	secret := keyring{{alice, 1, key}}
	tgt := fake.ticket("krbtgt", fakeRealm)
	part := messages.EncKDCRepPart{
		Key: key, Nonce: 1, Flags: types.NewKrbFlags(), AuthTime: time.Now().UTC(),
		EndTime: time.Now().UTC().Add(time.Hour), SRealm: fakeRealm, SName: nameOf("krbtgt", fakeRealm),
		LastReqs: []messages.LastReq{},
	}
	refusal := fake.refuse(errorcode.KDC_ERR_PREAUTH_REQUIRED, nameOf("krbtgt", fakeRealm), methods(18, nil))
	f.Add(refusal, methods(18, []byte{0, 0, 16, 0}), saslpeer.Must(part.Marshal()))
	f.Add([]byte{0x6b, 0}, methods(17, nil), []byte{0x79, 0})
	f.Fuzz(func(t *testing.T, message, data, inside []byte) {
		request := saslpeer.Must(k.newASRequest(alice, secret))
		_, err := k.readAS(message, request, alice, secret)
		saslpeer.Typed[*Error](t, err)
		saslpeer.Typed[*Error](t, k.prove(request, data, alice, secret))
		part := saslpeer.Must(crypto.GetEncryptedData(inside, key, keyusage.AS_REP_ENCPART, 0))
		_, err = k.open(&answer{
			KDCRepFields: messages.KDCRepFields{CRealm: fakeRealm, CName: alice.Name, EncPart: part},
			key:          key, usage: keyusage.AS_REP_ENCPART, client: alice, request: request.ReqBody,
			wrong: &Error{Reason: WrongKey},
		})
		saslpeer.Typed[*Error](t, err)

		fake.always(func(*fakeKDC, []byte) []byte { return framed(message) })
		_, err = k.exchange(context.Background(), tgt, inRealm("kafka", "broker.example.org"), preferred, nil)
		saslpeer.Typed[*Error](t, err)
	})
}

func FuzzConfig(f *testing.F) {
	f.Add(fakeConfig)
	f.Add("[libdefaults]\n default_ccache_name = FILE:/tmp/x_%{uid}\n[realms]\n A = {\n auth_to_local_names = {\n x " +
		"= y\n }\n kdc = a\n }\n")
	f.Add("[realms]\n}\n{\n=\n")
	f.Add("[domain_realm]\n=")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "include") {
			return // it would read files
		}
		if c, err := loadConf(text, ""); err == nil && text != "" {
			c.realmOf("broker.example.org")
			c.cacheFile("")
			if len(c.asTypes) == 0 || len(c.tgsTypes) == 0 {
				t.Error("got no encryption type, want one")
			}
		}
	})
}

func FuzzKeytab(f *testing.F) {
	f.Add(newKDC().keytab())
	f.Add([]byte{5, 2, 0x80, 0, 0, 0})
	f.Add([]byte{5, 1, 1, 0, 0, 0, 0})
	alice := inRealm("alice")
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
	k := newKDC()
	alice := inRealm("alice")
	f.Add(cacheBytes(4, alice, k.ticket("krbtgt", fakeRealm)))
	f.Add(cacheBytes(3, alice, k.ticket("krbtgt", fakeRealm)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := parseCache(data); err == nil {
			c.find(granting(fakeRealm, fakeRealm))
		}
	})
}
