package gssapi

import (
	"bytes"
	"encoding/asn1"
	"encoding/binary"

	"brokerconn/adapters/sasl/gssapi/krb5"

	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/chksumtype"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// The security context (RFC 4121, section 4.1): the client sends its ticket and the
// time, encrypted; the broker sends the time back, encrypted with the session key, which
// only the ticket's service can read in the ticket. This proves the broker's identity,
// so the answer is required and compared. Both then have a key for the next tokens: the
// subkey of the broker if it made one, or else that of the client.

// newContext begins a context with an authenticator for the ticket.
func newContext(t *krb5.Ticket, a types.Authenticator) *securityContext {
	a.Cksum = types.Checksum{CksumType: chksumtype.GSSAPI, Checksum: contextChecksum()}
	return &securityContext{ticket: t, sent: a, key: a.SubKey}
}

type securityContext struct {
	ticket      *krb5.Ticket
	sent        types.Authenticator
	key         types.EncryptionKey // protects the wrap tokens
	acceptorKey bool                // key is the broker's subkey
	peerSeq     uint32              // sequence number of the broker's next token
}

const contextFlags = gssapi.ContextFlagMutual | gssapi.ContextFlagReplay | gssapi.ContextFlagSequence |
	gssapi.ContextFlagInteg

// contextChecksum returns the checksum field of section 4.1.1, which holds flags and no
// sum: no channel is bound and no credential is delegated.
func contextChecksum() []byte {
	b := [20]byte{16}
	return binary.LittleEndian.AppendUint32(b[:], contextFlags)
}

// mechanism is the object identifier at the start of a token, 1.2.840.113554.1.2.2. The
// token's kind follows it.
var mechanism = []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02}

const (
	tokenAPReq = 0x0100
	tokenAPRep = 0x0200
	tokenError = 0x0300
)

// request returns the first token.
func (c *securityContext) request() ([]byte, error) {
	request, err := messages.NewAPReq(c.ticket.Raw, c.ticket.Key, c.sent)
	if err != nil {
		return nil, err
	}
	types.SetFlag(&request.APOptions, flags.APOptionMutualRequired)
	encoded, err := request.Marshal()
	if err != nil {
		return nil, err
	}
	token := binary.BigEndian.AppendUint16(bytes.Clone(mechanism), tokenAPReq)
	return asn1tools.AddASNAppTag(append(token, encoded...), 0), nil
}

// unwrapToken returns the kind of a token and the message in it.
func unwrapToken(token []byte) (kind uint16, message []byte, ok bool) {
	var outer asn1.RawValue
	rest, err := asn1.Unmarshal(token, &outer)
	if err != nil || len(rest) > 0 || outer.Class != asn1.ClassApplication || outer.Tag != 0 {
		return 0, nil, false
	}
	inner, found := bytes.CutPrefix(outer.Bytes, mechanism)
	if !found || len(inner) < 2 {
		return 0, nil, false
	}
	return binary.BigEndian.Uint16(inner), inner[2:], true
}

// verify verifies the broker's answer to the first token.
func (c *securityContext) verify(token []byte) error {
	server := c.ticket.Server.String()
	kind, message, ok := unwrapToken(token)
	switch {
	case !ok:
		return failure(BadToken, server, "%d bytes are not a Kerberos token", len(token))
	case kind == tokenError:
		return krb5.ServiceError(message, server)
	case kind != tokenAPRep:
		return failure(NotMutual, server, "the broker answers with a token of kind %#04x, want %#04x", kind, tokenAPRep)
	}
	var part messages.EncAPRepPart
	if !krb5.Contain(func() error {
		var answer messages.APRep
		if err := answer.Unmarshal(message); err != nil {
			return err
		}
		plain, err := crypto.DecryptEncPart(answer.EncPart, c.ticket.Key, keyusage.AP_REP_ENCPART)
		if err != nil {
			return err
		}
		return part.Unmarshal(plain)
	}) {
		return failure(NotMutual, server, "the broker's answer is not encrypted with the session key")
	}
	if part.CTime.Unix() != c.sent.CTime.Unix() || part.Cusec != c.sent.Cusec {
		return failure(NotMutual, server, "the broker's answer has the time of another login")
	}
	c.peerSeq = uint32(part.SequenceNumber) // some encode a large one as a negative number
	if part.Subkey.KeyValue == nil {
		return nil
	}
	if !krb5.Usable(part.Subkey) {
		clear(part.Subkey.KeyValue)
		return failure(EncryptionTypes, server,
			"the broker made a subkey of type %d, not an AES encryption type", part.Subkey.KeyType)
	}
	c.key, c.acceptorKey = part.Subkey, true
	return nil
}

// forget clears the keys that belong to this login alone.
func (c *securityContext) forget() {
	clear(c.sent.SubKey.KeyValue)
	clear(c.key.KeyValue)
}
