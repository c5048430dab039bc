package gssapi

import (
	"bytes"
	"encoding/binary"

	"brokerconn/adapters/sasl/gssapi/krb5"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
)

// Wrap tokens (RFC 4121, section 4.2) without confidentiality. SASL sends two: the
// broker's offer of security layers and the client's choice (RFC 4752, section 3.1).
//
//	05 04 | flags | ff | EC | RRC | sequence number   16 bytes
//	payload | checksum                                rotated to the right by RRC
//
// EC is the length of the checksum. The checksum covers the payload and the header with
// EC and RRC zero.

const (
	flagAcceptor    = 1 << iota // sent by the acceptor, the broker
	flagSealed                  // encrypted
	flagAcceptorKey             // protected with the acceptor's subkey
)

// unwrap verifies the broker's first wrap token and returns what is in it.
func (c *securityContext) unwrap(token []byte) ([]byte, error) {
	server := c.ticket.Server.String()
	if len(token) < gssapi.HdrLen {
		return nil, failure(BadToken, server, "%d bytes are not a wrap token", len(token))
	}
	want := byte(flagAcceptor)
	if c.acceptorKey {
		want |= flagAcceptorKey
	}
	// gokrb5 checks only the first flag, does not rotate back, and accepts a checksum
	// of any length.
	header, body := token[:gssapi.HdrLen], token[gssapi.HdrLen:]
	switch flags := header[2]; {
	case flags&flagSealed != 0:
		return nil, failure(BadToken, server, "the offer of security layers is encrypted, against RFC 4752")
	case flags&flagAcceptor == 0:
		return nil, failure(BadToken, server, "the wrap token has the flags of the client's own")
	case flags != want:
		return nil, failure(BadToken, server, "the wrap token has the flags %#02x, want %#02x", flags, want)
	}
	if seq := binary.BigEndian.Uint64(header[8:]); seq != uint64(c.peerSeq) {
		return nil, failure(BadToken, server, "the wrap token has sequence number %d, want %d", seq, c.peerSeq)
	}
	if rrc := int(binary.BigEndian.Uint16(header[6:])); rrc > 0 && len(body) > 0 {
		rrc %= len(body)
		body = append(bytes.Clone(body[rrc:]), body[:rrc]...)
	}
	var w gssapi.WrapToken
	kind, err := crypto.GetEtype(c.key.KeyType)
	if err != nil || !krb5.Contain(func() error {
		if err := w.Unmarshal(append(bytes.Clone(header), body...), true); err != nil {
			return err
		}
		_, err := w.Verify(c.key, keyusage.GSSAPI_ACCEPTOR_SEAL)
		return err
	}) || int(w.EC) != kind.GetHMACBitLength()/8 {
		return nil, failure(BadToken, server, "wrong checksum of the wrap token")
	}
	return w.Payload, nil
}

// wrap returns the client's first wrap token.
func (c *securityContext) wrap(payload []byte) ([]byte, error) {
	kind, err := crypto.GetEtype(c.key.KeyType)
	if err != nil {
		return nil, err
	}
	w := gssapi.WrapToken{
		EC: uint16(kind.GetHMACBitLength() / 8), SndSeqNum: uint64(c.sent.SeqNumber), Payload: payload,
	}
	if c.acceptorKey {
		w.Flags = flagAcceptorKey
	}
	if err := w.SetCheckSum(c.key, keyusage.GSSAPI_INITIATOR_SEAL); err != nil {
		return nil, err
	}
	return w.Marshal()
}

const layerNone = 1 // the bit of "no security layer"

// choose returns the client's answer to the wrapped offer: no layer, a size of zero, and
// no authorization identity, so that the user is the ticket's client.
func (c *securityContext) choose(token []byte) ([]byte, error) {
	offer, err := c.unwrap(token)
	if err != nil {
		return nil, err
	}
	server := c.ticket.Server.String()
	if len(offer) != 4 {
		return nil, failure(BadToken, server, "the offer of security layers has %d bytes, want 4", len(offer))
	}
	// RFC 4752 requires a size of 0 in the other three bytes if this is the only layer.
	// Java, and so Kafka, offers 65536.
	if offer[0]&layerNone == 0 {
		return nil, failure(LayerNotOffered, server, "the broker offers the layers %#02x without 0x01, no layer",
			offer[0])
	}
	return c.wrap([]byte{layerNone, 0, 0, 0})
}
