package krb5

import (
	"context"
	"crypto/rand"
	"encoding/asn1"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/clock/fake"
	"brokerconn/ports"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// fakeKDC is a KDC in memory, any of whose answers a test can replace. Its tickets are
// random numbers that it looks up, since a client cannot read a ticket. The tests
// against a real KDC are in package gssapi.
type fakeKDC struct {
	clock *fake.Clock

	mu        sync.Mutex
	tickets   map[string]issued
	passwords map[string]string
	requests  []string // what the KDC was asked for
	etype     int32    // of every key
	life      time.Duration
	renew     time.Duration
	// respond, if not nil, sees each request; its result is sent as it is, and the
	// honest answer if it is nil.
	respond func(request []byte) []byte
}

type issued struct {
	key            types.EncryptionKey
	client, server Principal
}

// forgery changes an answer before it is encrypted. An EncPart that it sets is kept.
type forgery func(*messages.EncKDCRepPart, *messages.KDCRepFields)

const (
	fakeRealm  = "EXAMPLE.ORG"
	fakeConfig = `[libdefaults]
 default_realm = EXAMPLE.ORG
 dns_lookup_kdc = false
[realms]
 EXAMPLE.ORG = {
  kdc = kdc.example.org
 }
`
)

func newKDC() *fakeKDC {
	return &fakeKDC{
		clock: fake.New(time.Now()), tickets: map[string]issued{}, passwords: map[string]string{"alice": "opensesame"},
		etype: 18, life: 10 * time.Hour,
	}
}

// options are those of alice, with her password.
func (k *fakeKDC) options() Options {
	return Options{
		Config: fakeConfig, Dial: k.dial, Now: k.clock.Now, Principal: "alice", Password: ports.NewSecret("opensesame"),
	}
}

// cached are the options with a ticket cache instead.
func (k *fakeKDC) cached(path string) Options {
	return Options{Config: fakeConfig, Dial: k.dial, Now: k.clock.Now, TicketCache: path}
}

func (k *fakeKDC) alice() *Client { return saslpeer.Must(New(k.options())) }

// ticketFor requests a ticket for the broker on a host.
func ticketFor(c *Client, host string) (*Ticket, error) {
	return c.Ticket(context.Background(), c.Service("kafka", host))
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

func (k *fakeKDC) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	go func() {
		defer there.Close()
		var size uint32
		if binary.Read(there, binary.BigEndian, &size) != nil {
			return
		}
		request := make([]byte, size)
		if _, err := io.ReadFull(there, request); err == nil {
			there.Write(k.serve(request))
		}
	}()
	return here, nil
}

func (k *fakeKDC) serve(request []byte) []byte {
	k.mu.Lock()
	respond := k.respond
	k.mu.Unlock()
	if respond != nil {
		if b := respond(request); b != nil {
			return b
		}
	}
	return framed(k.answer(request, func(*messages.EncKDCRepPart, *messages.KDCRepFields) {}))
}

func framed(b []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

// answer is the answer of an honest KDC, after the forgery.
func (k *fakeKDC) answer(request []byte, forge forgery) []byte {
	k.mu.Lock()
	defer k.mu.Unlock()
	var as messages.ASReq
	if as.Unmarshal(request) == nil {
		return k.answerAS(&as, forge)
	}
	var tgs messages.TGSReq
	if err := tgs.Unmarshal(request); err != nil {
		panic(err)
	}
	return k.answerTGS(&tgs, forge)
}

func (k *fakeKDC) refuse(code int32, server types.PrincipalName, data []byte) []byte {
	e := messages.NewKRBError(server, fakeRealm, code, "")
	e.EData = data
	return saslpeer.Must(e.Marshal())
}

func (k *fakeKDC) answerAS(r *messages.ASReq, forge forgery) []byte {
	who := Principal{r.ReqBody.CName, r.ReqBody.Realm}
	password, ok := k.passwords[Principal{Name: who.Name}.String()]
	if !ok {
		return k.refuse(errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN, r.ReqBody.SName, nil)
	}
	key := saslpeer.Must(keyOfPassword(password, who, k.etype, nil))
	if len(r.PAData) == 0 {
		k.requests = append(k.requests, "preauth")
		return k.refuse(errorcode.KDC_ERR_PREAUTH_REQUIRED, r.ReqBody.SName, methods(k.etype, nil))
	}
	k.requests = append(k.requests, r.ReqBody.SName.PrincipalNameString())
	var proof types.EncryptedData
	proof.Unmarshal(r.PAData[0].PADataValue)
	if _, err := crypto.DecryptEncPart(proof, key, keyusage.AS_REQ_PA_ENC_TIMESTAMP); err != nil {
		return k.refuse(errorcode.KDC_ERR_PREAUTH_FAILED, r.ReqBody.SName, nil)
	}
	rep := messages.ASRep{KDCRepFields: k.reply(&r.ReqBody, who, key, keyusage.AS_REP_ENCPART, 11, forge)}
	return saslpeer.Must(rep.Marshal())
}

func (k *fakeKDC) answerTGS(r *messages.TGSReq, forge forgery) []byte {
	k.requests = append(k.requests, r.ReqBody.SName.PrincipalNameString())
	var ap messages.APReq
	if err := ap.Unmarshal(r.PAData[0].PADataValue); err != nil {
		panic(err)
	}
	tgt, ok := k.tickets[string(ap.Ticket.EncPart.Cipher)]
	if !ok {
		return k.refuse(errorcode.KRB_AP_ERR_BAD_INTEGRITY, r.ReqBody.SName, nil)
	}
	if err := ap.DecryptAuthenticator(tgt.key); err != nil {
		panic(err)
	}
	if r.ReqBody.SName.NameString[0] != "krbtgt" && r.ReqBody.SName.NameString[0] != "kafka" {
		return k.refuse(errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, r.ReqBody.SName, nil)
	}
	rep := messages.TGSRep{
		KDCRepFields: k.reply(&r.ReqBody, tgt.client, tgt.key, keyusage.TGS_REP_ENCPART_SESSION_KEY, 13, forge),
	}
	return saslpeer.Must(rep.Marshal())
}

func (k *fakeKDC) reply(
	body *messages.KDCReqBody, who Principal, key types.EncryptionKey, usage uint32, kind int, forge forgery,
) messages.KDCRepFields {
	now := k.clock.Now().UTC().Truncate(time.Second)
	raw, session := k.issue(who, Principal{body.SName, body.Realm})
	part := messages.EncKDCRepPart{
		Key: session, Nonce: body.Nonce, Flags: types.NewKrbFlags(), AuthTime: now, StartTime: now,
		EndTime: now.Add(k.life), SRealm: body.Realm, SName: body.SName, LastReqs: []messages.LastReq{},
	}
	if k.renew > 0 {
		types.SetFlag(&part.Flags, flags.Renewable)
		part.RenewTill = now.Add(k.renew)
	}
	fields := messages.KDCRepFields{PVNO: 5, MsgType: kind, CRealm: who.Realm, CName: who.Name, Ticket: raw}
	forge(&part, &fields)
	if fields.EncPart.Cipher == nil {
		fields.EncPart = saslpeer.Must(crypto.GetEncryptedData(saslpeer.Must(part.Marshal()), key, usage, 1))
	}
	return fields
}

// issue makes a ticket and its key.
func (k *fakeKDC) issue(client, server Principal) (messages.Ticket, types.EncryptionKey) {
	number := make([]byte, 40)
	rand.Read(number)
	key := newKey(k.etype)
	k.tickets[string(number)] = issued{key, client, server}
	return messages.Ticket{
		TktVNO: 5, Realm: server.Realm, SName: server.Name,
		EncPart: types.EncryptedData{EType: k.etype, KVNO: 1, Cipher: number},
	}, key
}

// methods describes how a key is derived.
func methods(etype int32, params []byte) []byte {
	info := saslpeer.Must(asn1.Marshal([]struct {
		EType  int32  `asn1:"explicit,tag:0"`
		Params []byte `asn1:"explicit,optional,tag:2"`
	}{{etype, params}}))
	return sequence(paData(patype.PA_ENC_TIMESTAMP, []byte{}), paData(patype.PA_ETYPE_INFO2, info))
}

func paData(kind int32, value []byte) types.PAData {
	return types.PAData{PADataType: kind, PADataValue: value}
}

func sequence(data ...types.PAData) []byte { return saslpeer.Must(asn1.Marshal(data)) }

func nameOf(parts ...string) types.PrincipalName {
	return types.PrincipalName{NameType: 1, NameString: parts}
}

// inRealm is a principal of the fake KDC's realm.
func inRealm(parts ...string) Principal { return Principal{nameOf(parts...), fakeRealm} }

func (k *fakeKDC) clientKey(name string) types.EncryptionKey {
	return saslpeer.Must(keyOfPassword(k.passwords[name], inRealm(name), k.etype, nil))
}

// ticket issues one to alice.
func (k *fakeKDC) ticket(service, host string) *Ticket { return k.ticketOf("alice", service, host) }

func (k *fakeKDC) ticketOf(client, service, host string) *Ticket {
	k.mu.Lock()
	defer k.mu.Unlock()
	who, server := inRealm(client), inRealm(service, host)
	now := k.clock.Now().Truncate(time.Second)
	raw, key := k.issue(who, server)
	return &Ticket{Client: who, Server: server, Raw: raw, Key: key, start: now, end: now.Add(k.life)}
}

// keytab has alice's key.
func (k *fakeKDC) keytab() []byte {
	table := keytab.New()
	err := table.AddEntry("alice", fakeRealm, k.passwords["alice"], time.Unix(1, 0), 1, k.etype)
	return saslpeer.Must(saslpeer.Must(table, err).Marshal())
}

func (k *fakeKDC) keytabFile(t testing.TB) string { return writeFile(t, "alice.keytab", k.keytab()) }

func cacheFile(t testing.TB, tickets ...*Ticket) string {
	return writeFile(t, "ccache", cacheBytes(4, inRealm("alice"), tickets...))
}

func writeFile(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	rewrite(t, path, data)
	return path
}

func rewrite(t testing.TB, path string, data []byte) {
	t.Helper()
	saslpeer.Succeed(t, os.WriteFile(path, data, 0o600))
}

// secrets are those of alice, and every ticket with its key.
func (k *fakeKDC) secrets() []string {
	all := []string{k.passwords["alice"], string(k.clientKey("alice").KeyValue), string(k.keytab())}
	for cipher, ticket := range k.tickets {
		all = append(all, cipher, string(ticket.key.KeyValue))
	}
	return all
}
