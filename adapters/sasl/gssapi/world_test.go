package gssapi

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/asn1"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"brokerconn/adapters/clock/fake"

	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// world is a realm in memory: a KDC and a broker that can be made to misbehave at any
// point. Its tickets are numbers that it looks up, since to a client they are sealed
// anyway. What is right about them is judged elsewhere, by a real KDC.
type world struct {
	clock *fake.Clock

	mu      sync.Mutex
	tickets map[string]known
	clients map[string]string // passwords
	asked   []string          // what the KDC was asked for
	etype   int32             // of every key
	life    time.Duration
	renew   time.Duration

	// answer, if not nil, sees each request to the KDC; what it returns instead is
	// sent, and with nil the honest answer.
	answer func(request []byte) []byte
}

type known struct {
	key            types.EncryptionKey
	client, server principal
}

const worldRealm = "EXAMPLE.ORG"

func newWorld() *world {
	return &world{
		clock: fake.New(time.Now()), tickets: map[string]known{}, clients: map[string]string{"alice": "opensesame"},
		etype: 18, life: 10 * time.Hour,
	}
}

const worldConfig = `[libdefaults]
 default_realm = EXAMPLE.ORG
 dns_lookup_kdc = false
[realms]
 EXAMPLE.ORG = {
  kdc = kdc.example.org
 }
`

func (w *world) options() Options {
	return Options{Config: worldConfig, Dial: w.dial, Clock: w.clock, Run: inline}
}

func (w *world) alice(t testing.TB) *Authenticator {
	o := w.options()
	o.Principal, o.Password = "alice", secretOf("opensesame")
	return mustNew(t, o)
}

// dial is the way to the KDC.
func (w *world) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	go func() {
		defer there.Close()
		var size [4]byte
		if _, err := io.ReadFull(there, size[:]); err != nil {
			return
		}
		request := make([]byte, binary.BigEndian.Uint32(size[:]))
		if _, err := io.ReadFull(there, request); err != nil {
			return
		}
		there.Write(w.serve(request))
	}()
	return here, nil
}

// framed is an answer with its size before it.
func framed(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

func (w *world) serve(request []byte) []byte {
	w.mu.Lock()
	answer := w.answer
	w.mu.Unlock()
	if answer != nil {
		if b := answer(request); b != nil {
			return b
		}
	}
	return framed(w.honest(request, nil))
}

// honest answers as a KDC does. forge changes what it encrypts, and how.
func (w *world) honest(request []byte, forge func(*messages.EncKDCRepPart, *messages.KDCRepFields)) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	var as messages.ASReq
	if as.Unmarshal(request) == nil {
		return w.serveAS(&as, forge)
	}
	var tgs messages.TGSReq
	if err := tgs.Unmarshal(request); err != nil {
		panic(err)
	}
	return w.serveTGS(&tgs, forge)
}

func (w *world) refuse(code int32, server types.PrincipalName, data []byte) []byte {
	e := messages.NewKRBError(server, worldRealm, code, "")
	e.EData = data
	b, err := e.Marshal()
	if err != nil {
		panic(err)
	}
	return b
}

func (w *world) serveAS(r *messages.ASReq, forge func(*messages.EncKDCRepPart, *messages.KDCRepFields)) []byte {
	who := principal{r.ReqBody.CName, r.ReqBody.Realm}
	secret, ok := w.clients[principal{name: who.name}.String()]
	if !ok {
		return w.refuse(errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN, r.ReqBody.SName, nil)
	}
	key := w.keyOf(secret, who)
	if len(r.PAData) == 0 {
		w.asked = append(w.asked, "preauth")
		return w.refuse(errorcode.KDC_ERR_PREAUTH_REQUIRED, r.ReqBody.SName, methods(w.etype, nil))
	}
	w.asked = append(w.asked, r.ReqBody.SName.PrincipalNameString())
	var proof types.EncryptedData
	proof.Unmarshal(r.PAData[0].PADataValue)
	if _, err := crypto.DecryptEncPart(proof, key, keyusage.AS_REQ_PA_ENC_TIMESTAMP); err != nil {
		return w.refuse(errorcode.KDC_ERR_PREAUTH_FAILED, r.ReqBody.SName, nil)
	}
	rep := messages.ASRep{KDCRepFields: w.reply(&r.ReqBody, who, key, keyusage.AS_REP_ENCPART, 11, forge)}
	b, err := rep.Marshal()
	if err != nil {
		panic(err)
	}
	return b
}

func (w *world) serveTGS(r *messages.TGSReq, forge func(*messages.EncKDCRepPart, *messages.KDCRepFields)) []byte {
	w.asked = append(w.asked, r.ReqBody.SName.PrincipalNameString())
	var ap messages.APReq
	if err := ap.Unmarshal(r.PAData[0].PADataValue); err != nil {
		panic(err)
	}
	tgt, ok := w.tickets[string(ap.Ticket.EncPart.Cipher)]
	if !ok {
		return w.refuse(errorcode.KRB_AP_ERR_BAD_INTEGRITY, r.ReqBody.SName, nil)
	}
	if err := ap.DecryptAuthenticator(tgt.key); err != nil {
		panic(err)
	}
	if r.ReqBody.SName.NameString[0] != "krbtgt" && r.ReqBody.SName.NameString[0] != "kafka" {
		return w.refuse(errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, r.ReqBody.SName, nil)
	}
	rep := messages.TGSRep{KDCRepFields: w.reply(&r.ReqBody, tgt.client, tgt.key, keyusage.TGS_REP_ENCPART_SESSION_KEY, 13, forge)}
	b, err := rep.Marshal()
	if err != nil {
		panic(err)
	}
	return b
}

func (w *world) reply(body *messages.KDCReqBody, who principal, key types.EncryptionKey, usage uint32, kind int, forge func(*messages.EncKDCRepPart, *messages.KDCRepFields)) messages.KDCRepFields {
	now := w.clock.Now().UTC().Truncate(time.Second)
	raw, session := w.newTicket(who, principal{body.SName, body.Realm})
	part := messages.EncKDCRepPart{
		Key: session, Nonce: body.Nonce, Flags: types.NewKrbFlags(), AuthTime: now, StartTime: now, EndTime: now.Add(w.life),
		SRealm: body.Realm, SName: body.SName, LastReqs: []messages.LastReq{},
	}
	if w.renew > 0 {
		types.SetFlag(&part.Flags, flags.Renewable)
		part.RenewTill = now.Add(w.renew)
	}
	fields := messages.KDCRepFields{PVNO: 5, MsgType: kind, CRealm: who.realm, CName: who.name, Ticket: raw}
	if forge != nil {
		forge(&part, &fields)
	}
	plain, err := part.Marshal()
	if err != nil {
		panic(err)
	}
	if fields.EncPart.Cipher == nil {
		if fields.EncPart, err = crypto.GetEncryptedData(plain, key, usage, 1); err != nil {
			panic(err)
		}
	}
	return fields
}

func (w *world) keyOf(secret string, who principal) types.EncryptionKey {
	key, err := keyOfPassword(secret, who, w.etype, nil)
	if err != nil {
		panic(err)
	}
	return key
}

func (w *world) clientKey(name string) types.EncryptionKey {
	return w.keyOf(w.clients[name], principal{nameOf(name), worldRealm})
}

// newTicket makes a ticket and its key.
func (w *world) newTicket(client, server principal) (messages.Ticket, types.EncryptionKey) {
	number := make([]byte, 40)
	rand.Read(number)
	key := newKey(w.etype)
	w.tickets[string(number)] = known{key, client, server}
	return messages.Ticket{
		TktVNO: 5, Realm: server.realm, SName: server.name,
		EncPart: types.EncryptedData{EType: w.etype, KVNO: 1, Cipher: number},
	}, key
}

// methods says how a key is derived.
func methods(etype int32, params []byte) []byte {
	info, err := asn1.Marshal([]struct {
		EType  int32  `asn1:"explicit,tag:0"`
		Params []byte `asn1:"explicit,optional,tag:2"`
	}{{etype, params}})
	if err != nil {
		panic(err)
	}
	return sequence(types.PAData{PADataType: patype.PA_ENC_TIMESTAMP, PADataValue: []byte{}}, types.PAData{PADataType: patype.PA_ETYPE_INFO2, PADataValue: info})
}

func sequence(data ...types.PAData) []byte {
	b, err := asn1.Marshal(data)
	if err != nil {
		panic(err)
	}
	return b
}

// broker is the broker's side of one login, and all that it may do wrong.
type broker struct {
	w *world

	subkey   int32  // the type of the key that it makes for the context; 0: none
	seq      int64  // of its first message
	offer    []byte // nil: no layer, of the size that Java has
	rrc      uint16 // how far it rotates
	part     func(*messages.EncAPRepPart)
	first    func(token []byte) []byte // instead of its proof
	second   func(token []byte) []byte // instead of its wrapped offer
	flags    func(byte) byte
	wrapKey  func(types.EncryptionKey) types.EncryptionKey
	wrapSeq  uint64
	usage    uint32
	sealed   bool
	checksum func([]byte) []byte

	ticket known
	sent   types.Authenticator
	key    types.EncryptionKey
	turns  int
}

func (w *world) broker() *broker { return &broker{w: w, seq: 1000} }

// login is what it answers to each token; an error is what it has against the
// client.
func (b *broker) login(token []byte) ([]byte, error) {
	b.turns++
	switch b.turns {
	case 1:
		if err := b.accept(token); err != nil {
			return nil, err
		}
		proof := b.proof()
		if b.first != nil {
			proof = b.first(proof)
		}
		return proof, nil
	case 2:
		if len(token) != 0 {
			return nil, errors.New("an empty token was due")
		}
		offer := b.wrapped()
		if b.second != nil {
			offer = b.second(offer)
		}
		return offer, nil
	case 3:
		return []byte{}, b.judge(token)
	}
	return nil, errors.New("nothing was due")
}

// accept reads the ticket and the authenticator.
func (b *broker) accept(token []byte) error {
	kind, message, ok := unwrapToken(token)
	if !ok || kind != tokenAPReq {
		return fmt.Errorf("a token of kind %#x", kind)
	}
	var request messages.APReq
	if err := request.Unmarshal(message); err != nil {
		return err
	}
	b.w.mu.Lock()
	b.ticket, ok = b.w.tickets[string(request.Ticket.EncPart.Cipher)]
	b.w.mu.Unlock()
	if !ok {
		return errors.New("the ticket is not known")
	}
	if err := request.DecryptAuthenticator(b.ticket.key); err != nil {
		return err
	}
	b.sent = request.Authenticator
	sum := b.sent.Cksum
	wanted := uint32(gssapi.ContextFlagMutual | gssapi.ContextFlagInteg)
	switch {
	case !types.IsFlagSet(&request.APOptions, flags.APOptionMutualRequired):
		return errors.New("mutual authentication was not asked for")
	case sum.CksumType != 0x8003 || len(sum.Checksum) != 24 || binary.LittleEndian.Uint32(sum.Checksum) != 16:
		return fmt.Errorf("the checksum is %v", sum)
	case binary.LittleEndian.Uint32(sum.Checksum[20:])&wanted != wanted:
		return fmt.Errorf("the flags are %x", sum.Checksum[20:])
	case !b.sent.CName.Equal(b.ticket.client.name) || b.sent.CRealm != b.ticket.client.realm:
		return errors.New("ticket and authenticator are of different clients")
	}
	return nil
}

func (b *broker) proof() []byte {
	part := messages.EncAPRepPart{CTime: b.sent.CTime, Cusec: b.sent.Cusec, SequenceNumber: b.seq}
	b.key = b.sent.SubKey
	if b.subkey != 0 {
		b.key = newKey(b.subkey)
		part.Subkey = b.key
	}
	if b.part != nil {
		b.part(&part)
	}
	plain, err := asn1.Marshal(part)
	if err != nil {
		panic(err)
	}
	sealed, err := crypto.GetEncryptedData(asn1tools.AddASNAppTag(plain, 27), b.ticket.key, keyusage.AP_REP_ENCPART, 0)
	if err != nil {
		panic(err)
	}
	message, err := asn1.Marshal(messages.APRep{PVNO: 5, MsgType: 15, EncPart: sealed})
	if err != nil {
		panic(err)
	}
	return gssToken(tokenAPRep, asn1tools.AddASNAppTag(message, 15))
}

func gssToken(kind uint16, message []byte) []byte {
	return asn1tools.AddASNAppTag(append(binary.BigEndian.AppendUint16(bytes.Clone(mechanism), kind), message...), 0)
}

// wrapped is the offer, by RFC 4121 and not by what is tested.
func (b *broker) wrapped() []byte {
	offer, key := b.offer, b.key
	if offer == nil {
		offer = []byte{1, 1, 0, 0}
	}
	mark := byte(0x01)
	if b.subkey != 0 {
		mark |= 0x04
	}
	if b.sealed {
		mark |= 0x02
	}
	if b.flags != nil {
		mark = b.flags(mark)
	}
	if b.wrapKey != nil {
		key = b.wrapKey(key)
	}
	seq := uint64(uint32(b.seq))
	if b.wrapSeq != 0 {
		seq = b.wrapSeq
	}
	usage := uint32(22)
	if b.usage != 0 {
		usage = b.usage
	}
	header := binary.BigEndian.AppendUint64([]byte{5, 4, mark, 0xff, 0, 0, 0, 0}, seq)
	kind, err := crypto.GetEtype(key.KeyType)
	if err != nil {
		panic(err)
	}
	sum, err := kind.GetChecksumHash(key.KeyValue, slices.Concat(offer, header), usage)
	if err != nil {
		panic(err)
	}
	if b.checksum != nil {
		sum = b.checksum(sum)
	}
	body := slices.Concat(offer, sum)
	binary.BigEndian.PutUint16(header[4:], uint16(len(sum)))
	binary.BigEndian.PutUint16(header[6:], b.rrc)
	for range b.rrc {
		body = append(body[len(body)-1:], body[:len(body)-1]...)
	}
	return append(header, body...)
}

// judge verifies the client's choice.
func (b *broker) judge(token []byte) error {
	kind, err := crypto.GetEtype(b.key.KeyType)
	if err != nil {
		return err
	}
	n := kind.GetHMACBitLength() / 8
	if len(token) != 16+4+n {
		return fmt.Errorf("the choice has %d octets", len(token))
	}
	mark := byte(0)
	if b.subkey != 0 {
		mark = 0x04
	}
	header := binary.BigEndian.AppendUint64([]byte{5, 4, mark, 0xff, 0, byte(n), 0, 0}, uint64(b.sent.SeqNumber))
	if !bytes.Equal(token[:16], header) {
		return fmt.Errorf("the header is %x instead of %x", token[:16], header)
	}
	header[5] = 0
	payload := token[16:20]
	if !kind.VerifyChecksum(b.key.KeyValue, slices.Concat(payload, header), token[20:], 24) {
		return errors.New("the checksum of the choice is wrong")
	}
	if !bytes.Equal(payload, []byte{1, 0, 0, 0}) {
		return fmt.Errorf("the choice is %x", payload)
	}
	return nil
}
