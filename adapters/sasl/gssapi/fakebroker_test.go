package gssapi

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/clock/fake"
	"brokerconn/adapters/sasl/gssapi/krb5"
	"brokerconn/ports"

	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// fakeClient is a Kerberos client that makes its tickets itself, one per login or the
// same one again. The KDC is the matter of package krb5.
type fakeClient struct {
	client
	etype  int32        // of new keys
	ticket *krb5.Ticket // nil: the next login makes one
	last   *krb5.Ticket
	mu     sync.Mutex
	drops  []*krb5.Ticket
}

var alice = krb5.Principal{Name: nameOf("alice"), Realm: "EXAMPLE.ORG"}

func nameOf(parts ...string) types.PrincipalName {
	return types.PrincipalName{NameType: 1, NameString: parts}
}

const testConfig = `[libdefaults]
 default_realm = EXAMPLE.ORG
[domain_realm]
 .example.org = EXAMPLE.ORG
`

// newTestAuthenticator returns an authenticator for alice over a fake client.
func newTestAuthenticator() (*Authenticator, *fakeClient) {
	a := mustNew(Options{Config: testConfig, Principal: "alice", TicketCache: "unused", Clock: fake.New(time.Now())})
	c := &fakeClient{client: a.client, etype: 18}
	a.client = c
	return a, c
}

func (c *fakeClient) Ticket(_ context.Context, server krb5.Principal) (*krb5.Ticket, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last = c.ticket
	if c.last == nil {
		number := make([]byte, 40)
		rand.Read(number)
		c.last = &krb5.Ticket{Client: alice, Server: server, Key: newKey(c.etype), Raw: messages.Ticket{
			TktVNO: 5, Realm: server.Realm, SName: server.Name,
			EncPart: types.EncryptedData{EType: c.etype, KVNO: 1, Cipher: number},
		}}
	}
	return c.last, nil
}

func (c *fakeClient) Drop(t *krb5.Ticket) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drops = append(c.drops, t)
}

func newKey(etype int32) types.EncryptionKey {
	size := map[int32]int{17: 16, 18: 32, 19: 16, 20: 32}[etype]
	key := types.EncryptionKey{KeyType: etype, KeyValue: make([]byte, size)}
	rand.Read(key.KeyValue)
	return key
}

// logIn performs a login with inline steps.
func logIn(a *Authenticator, host string, broker saslpeer.Broker) error {
	return saslpeer.LogIn(a, ports.Endpoint{Host: host, Network: "tcp", Address: host + ":9092"}, broker)
}

func mustNew(o Options) *Authenticator {
	o.Run = saslpeer.Inline
	return saslpeer.Must(New(o))
}

// mustFail returns err as an *Error of the reason, with a hint.
func mustFail(t testing.TB, err error, want Reason) *Error {
	t.Helper()
	e := saslpeer.Typed[*Error](t, err)
	if e == nil || e.Reason != want || e.Hint() == "" {
		t.Fatalf("got %v, want an *Error of %v with a hint", err, want)
	}
	return e
}

// fakeBroker is the broker's side of one login, by the RFCs and not by what is tested.
// Each field is something that it may do wrong.
type fakeBroker struct {
	client *fakeClient

	subkey   int32  // the type of the key that it makes for the context; 0: none
	seq      int64  // of its first message
	wrapSeq  uint64 // of its offer, if not 0
	offer    []byte
	rrc      uint16 // how far it rotates
	part     func(*messages.EncAPRepPart)
	first    func(token []byte) []byte // instead of its proof
	second   func(token []byte) []byte // instead of its wrapped offer
	flags    func(byte) byte
	wrapKey  func(types.EncryptionKey) types.EncryptionKey
	usage    uint32
	sealed   bool
	checksum func([]byte) []byte

	ticket *krb5.Ticket
	sent   types.Authenticator
	key    types.EncryptionKey
	turns  int
}

// newBroker returns a conforming one. It offers no layer, of the size that Java offers.
func newBroker(c *fakeClient) *fakeBroker {
	return &fakeBroker{
		client: c, seq: 1000, usage: 22, offer: []byte{1, 1, 0, 0}, part: func(*messages.EncAPRepPart) {},
		first: same[[]byte], second: same[[]byte], flags: same[byte], wrapKey: same[types.EncryptionKey],
		checksum: same[[]byte],
	}
}

func same[T any](v T) T { return v }

// login answers each token, or returns what is wrong with it.
func (b *fakeBroker) login(token []byte) ([]byte, error) {
	b.turns++
	switch b.turns {
	case 1:
		if err := b.accept(token); err != nil {
			return nil, err
		}
		return b.first(b.proof()), nil
	case 2:
		if len(token) != 0 {
			return nil, fmt.Errorf("got the token %x, want an empty one", token)
		}
		return b.second(b.wrapped()), nil
	case 3:
		return []byte{}, b.verify(token)
	}
	return nil, fmt.Errorf("got the token %x, want none", token)
}

// accept reads the ticket and the authenticator.
func (b *fakeBroker) accept(token []byte) error {
	kind, message, ok := unwrapToken(token)
	if !ok || kind != tokenAPReq {
		return fmt.Errorf("a token of kind %#x", kind)
	}
	var request messages.APReq
	if err := request.Unmarshal(message); err != nil {
		return err
	}
	b.client.mu.Lock()
	b.ticket = b.client.last
	b.client.mu.Unlock()
	if !bytes.Equal(b.ticket.Raw.EncPart.Cipher, request.Ticket.EncPart.Cipher) {
		return errors.New("unknown ticket")
	}
	if err := request.DecryptAuthenticator(b.ticket.Key); err != nil {
		return err
	}
	b.sent = request.Authenticator
	sum := b.sent.Cksum
	wanted := uint32(gssapi.ContextFlagMutual | gssapi.ContextFlagInteg)
	switch {
	case !types.IsFlagSet(&request.APOptions, flags.APOptionMutualRequired):
		return errors.New("mutual authentication not requested")
	case sum.CksumType != 0x8003 || len(sum.Checksum) != 24 || binary.LittleEndian.Uint32(sum.Checksum) != 16:
		return fmt.Errorf("checksum %v", sum)
	case binary.LittleEndian.Uint32(sum.Checksum[20:])&wanted != wanted:
		return fmt.Errorf("flags %x", sum.Checksum[20:])
	case !b.sent.CName.Equal(b.ticket.Client.Name) || b.sent.CRealm != b.ticket.Client.Realm:
		return errors.New("ticket and authenticator are of different clients")
	}
	return nil
}

func (b *fakeBroker) proof() []byte {
	part := messages.EncAPRepPart{CTime: b.sent.CTime, Cusec: b.sent.Cusec, SequenceNumber: b.seq}
	b.key = b.sent.SubKey
	if b.subkey != 0 {
		b.key = newKey(b.subkey)
		part.Subkey = b.key
	}
	b.part(&part)
	return gssToken(tokenAPRep, sealed(b.ticket.Key, asn1tools.AddASNAppTag(saslpeer.Must(asn1.Marshal(part)), 27)))
}

// sealed is a KRB_AP_REP around what is given.
func sealed(key types.EncryptionKey, inside []byte) []byte {
	part := saslpeer.Must(crypto.GetEncryptedData(inside, key, keyusage.AP_REP_ENCPART, 0))
	return asn1tools.AddASNAppTag(saslpeer.Must(asn1.Marshal(messages.APRep{PVNO: 5, MsgType: 15, EncPart: part})), 15)
}

func gssToken(kind uint16, message []byte) []byte {
	return asn1tools.AddASNAppTag(append(binary.BigEndian.AppendUint16(bytes.Clone(mechanism), kind), message...), 0)
}

// wrapped is the offer in a wrap token.
func (b *fakeBroker) wrapped() []byte {
	mark := b.mark() | 0x01
	if b.sealed {
		mark |= 0x02
	}
	seq := cmp.Or(b.wrapSeq, uint64(uint32(b.seq)))
	header := binary.BigEndian.AppendUint64([]byte{5, 4, b.flags(mark), 0xff, 0, 0, 0, 0}, seq)
	key := b.wrapKey(b.key)
	kind := saslpeer.Must(crypto.GetEtype(key.KeyType))
	sum := saslpeer.Must(kind.GetChecksumHash(key.KeyValue, slices.Concat(b.offer, header), b.usage))
	sum = b.checksum(sum)
	body := slices.Concat(b.offer, sum)
	binary.BigEndian.PutUint16(header[4:], uint16(len(sum)))
	binary.BigEndian.PutUint16(header[6:], b.rrc)
	for range b.rrc {
		body = append(body[len(body)-1:], body[:len(body)-1]...)
	}
	return append(header, body...)
}

// mark is the flag of the broker's subkey, if there is one.
func (b *fakeBroker) mark() byte {
	if b.subkey != 0 {
		return 0x04
	}
	return 0
}

// verify verifies the client's choice.
func (b *fakeBroker) verify(token []byte) error {
	kind := saslpeer.Must(crypto.GetEtype(b.key.KeyType))
	n := kind.GetHMACBitLength() / 8
	if len(token) != 16+4+n {
		return fmt.Errorf("got a choice of %d bytes, want %d", len(token), 16+4+n)
	}
	header := binary.BigEndian.AppendUint64([]byte{5, 4, b.mark(), 0xff, 0, byte(n), 0, 0}, uint64(b.sent.SeqNumber))
	if !bytes.Equal(token[:16], header) {
		return fmt.Errorf("got the header %x, want %x", token[:16], header)
	}
	header[5] = 0
	payload := token[16:20]
	if !kind.VerifyChecksum(b.key.KeyValue, slices.Concat(payload, header), token[20:], 24) {
		return errors.New("wrong checksum of the choice")
	}
	if want := []byte{1, 0, 0, 0}; !bytes.Equal(payload, want) {
		return fmt.Errorf("got the choice %x, want %x", payload, want)
	}
	return nil
}
