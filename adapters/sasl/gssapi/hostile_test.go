package gssapi

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/ports/porttest"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

func TestConformingBrokers(t *testing.T) {
	for _, etype := range []int32{17, 18, 19, 20} {
		a, client := newTestAuthenticator()
		client.etype = etype
		for _, subkey := range []int32{0, 17, 18, 19, 20} {
			for _, c := range []struct {
				name   string
				change change
			}{
				{"plain", func(*fakeBroker) {}},
				{"rotated, as Windows does", func(b *fakeBroker) { b.rrc = 12 }},
				{"rotated more than once around", func(b *fakeBroker) { b.rrc = 1000 }},
				{"other layers as well", func(b *fakeBroker) { b.offer = []byte{7, 0xff, 0xff, 0xff} }},
				{"no size, as the RFC says", func(b *fakeBroker) { b.offer = []byte{1, 0, 0, 0} }},
				{"no number of its first message", func(b *fakeBroker) { b.seq = 0 }},
				{"a large number, encoded as a negative one", func(b *fakeBroker) { b.seq = -5 }},
			} {
				b := newBroker(client)
				b.subkey = subkey
				c.change(b)
				what := fmt.Sprintf("type %d, subkey %d, %s", etype, subkey, c.name)
				saslpeer.ErrorIs(t, what, logIn(a, testEndpoint.Host, b.login), nil)
				saslpeer.Equal(t, what+": turns", b.turns, 3)
			}
		}
	}
}

func krbError(code int32, text string) func([]byte) []byte {
	return func([]byte) []byte {
		e := messages.NewKRBError(nameOf("kafka", "broker.example.org"), "EXAMPLE.ORG", code, text)
		return gssToken(tokenError, saslpeer.Must(e.Marshal()))
	}
}

func constant(b string) func([]byte) []byte { return func([]byte) []byte { return []byte(b) } }

func truncated(by int) func([]byte) []byte {
	return func(b []byte) []byte { return b[:max(len(b)-by, 0)] }
}

func flipped(at int) func([]byte) []byte {
	return func(b []byte) []byte {
		b = bytes.Clone(b)
		if at < 0 {
			at += len(b)
		}
		b[at] ^= 1
		return b
	}
}

type change = func(*fakeBroker)

func proof(f func([]byte) []byte) change { return func(b *fakeBroker) { b.first = f } }

func offer(f func([]byte) []byte) change { return func(b *fakeBroker) { b.second = f } }

func payload(bytes ...byte) change {
	return func(b *fakeBroker) { b.offer = append([]byte{}, bytes...) }
}

func encrypted(f func(p *messages.EncAPRepPart)) change { return func(b *fakeBroker) { b.part = f } }

func subkey(etype int32, size int) change {
	return encrypted(func(p *messages.EncAPRepPart) {
		p.Subkey = types.EncryptionKey{KeyType: etype, KeyValue: make([]byte, size)}
	})
}

func marks(f func(byte) byte) change { return func(b *fakeBroker) { b.flags = f } }

func added(b []byte) []byte { return append(b, 0) }

func first(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:n] } }

// Broken brokers, and impostors.
func TestHostileBrokers(t *testing.T) {
	const otherMechanism = "\x06\x09\x2a\x86\x48\x82\xf7\x12\x01\x02\x02"
	const emptyPart = "\x6f\x17\x30\x15\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x0f\xa2\x09" +
		"\x30\x07\xa0\x03\x02\x01\x12\xa2\x00"
	for _, c := range []struct {
		name   string
		change change
		want   Reason
	}{
		// The proof.
		{"an empty proof", proof(constant("")), BadToken},
		{"text instead of a proof", proof(constant("HTTP/1.1 400 Bad Request")), BadToken},
		{"the client's kind of token", proof(constant(string(gssToken(tokenAPReq, []byte("x"))))), NotMutual},
		{"another mechanism", proof(func(p []byte) []byte {
			return bytes.Replace(p, mechanism, []byte(otherMechanism), 1)
		}), BadToken},
		{"a truncated proof", proof(truncated(1)), BadToken},
		{"bytes after the proof", proof(added), BadToken},
		{"a changed proof", proof(flipped(-1)), NotMutual},
		{"a proof without a message", proof(constant(string(gssToken(tokenAPRep, nil)))), NotMutual},
		{"a proof with an empty part", proof(constant(string(gssToken(tokenAPRep, []byte(emptyPart))))), NotMutual},
		{"another second", encrypted(func(p *messages.EncAPRepPart) { p.CTime = p.CTime.Add(time.Second) }), NotMutual},
		{"another microsecond", encrypted(func(p *messages.EncAPRepPart) { p.Cusec++ }), NotMutual},
		{"the key of another ticket", func(b *fakeBroker) {
			b.part = func(*messages.EncAPRepPart) { other := *b.ticket; other.Key = newKey(18); b.ticket = &other }
		}, NotMutual},
		{"a subkey of RC4", subkey(23, 16), EncryptionTypes},
		{"a subkey of the wrong size", subkey(18, 16), EncryptionTypes},
		{"an empty subkey", subkey(18, 0), EncryptionTypes},
		// Errors of the broker.
		{"clock skew", proof(krbError(errorcode.KRB_AP_ERR_SKEW, "")), ClockSkew},
		{"ticket not valid yet", proof(krbError(errorcode.KRB_AP_ERR_TKT_NYV, "")), ClockSkew},
		{"ticket expired", proof(krbError(errorcode.KRB_AP_ERR_TKT_EXPIRED, "")), Refused},
		{"another key", proof(krbError(errorcode.KRB_AP_ERR_MODIFIED, "with\nwords\x1b[2J")), Refused},
		{"a malformed error", proof(constant(string(gssToken(tokenError, []byte("no"))))), BadToken},
		// The offer.
		{"an empty offer", offer(constant("")), BadToken},
		{"an offer of 15 bytes", offer(first(15)), BadToken},
		{"an offer of a header alone", offer(first(16)), BadToken},
		{"a truncated offer", offer(truncated(1)), BadToken},
		{"bytes after the offer", offer(added), BadToken},
		{"an offer not wrapped", offer(constant("\x01\x00\x00\x00")), BadToken},
		{"a changed checksum", offer(flipped(-1)), BadToken},
		{"a changed layer", offer(flipped(16)), BadToken},
		{"a changed filler", offer(flipped(3)), BadToken},
		{"no checksum at all", func(b *fakeBroker) { b.checksum = first(0) }, BadToken},
		{"a part of a checksum", func(b *fakeBroker) { b.checksum = first(1) }, BadToken},
		{"rotated without a count", func(b *fakeBroker) {
			b.rrc = 4
			b.second = func(o []byte) []byte { binary.BigEndian.PutUint16(o[6:], 0); return o }
		}, BadToken},
		{"encrypted", func(b *fakeBroker) { b.sealed = true }, BadToken},
		{"the flags of the client", marks(func(f byte) byte { return f &^ 1 }), BadToken},
		{"the client's key usage", func(b *fakeBroker) { b.usage = 24 }, BadToken},
		{"the flag of a subkey that does not exist", marks(func(f byte) byte { return f | 4 }), BadToken},
		{"a subkey without its flag", func(b *fakeBroker) {
			b.subkey, b.flags = 18, func(f byte) byte { return f &^ 4 }
		}, BadToken},
		{"an unknown flag", marks(func(f byte) byte { return f | 0x80 }), BadToken},
		{"the client's key despite a subkey", func(b *fakeBroker) {
			b.subkey = 18
			b.wrapKey = func(types.EncryptionKey) types.EncryptionKey { return b.sent.SubKey }
		}, BadToken},
		{"the key of the ticket", func(b *fakeBroker) {
			b.wrapKey = func(types.EncryptionKey) types.EncryptionKey { return b.ticket.Key }
		}, BadToken},
		{"the next sequence number", func(b *fakeBroker) { b.wrapSeq = 1001 }, BadToken},
		{"a sequence number of more than 32 bits", func(b *fakeBroker) { b.wrapSeq = 1<<32 + 1000 }, BadToken},
		{"the proof again", func(b *fakeBroker) { b.second = func([]byte) []byte { return b.proof() } }, BadToken},
		{"an offer of 3 bytes", payload(1, 0, 0), BadToken},
		{"an offer of 5 bytes", payload(1, 0, 0, 0, 0), BadToken},
		{"an offer of no bytes", payload(), BadToken},
		{"integrity only", payload(2, 0, 0xff, 0xff), LayerNotOffered},
		{"integrity and confidentiality", payload(6, 0, 0xff, 0xff), LayerNotOffered},
		{"no layer at all", payload(0, 0, 0, 0), LayerNotOffered},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, client := newTestAuthenticator()
			b := newBroker(client)
			c.change(b)
			err := logIn(a, testEndpoint.Host, b.login)
			if errors.Is(err, saslpeer.ErrBroker) {
				t.Fatal(err)
			}
			e := mustFail(t, err, c.want)
			saslpeer.Equal(t, "the principal", e.Principal, "kafka/broker.example.org@EXAMPLE.ORG")
			if b.turns == 3 {
				t.Error("got an answer to a bad offer")
			}
			for _, key := range []types.EncryptionKey{client.last.Key, b.sent.SubKey, b.key} {
				porttest.NoSecrets(t, "the error", err, string(key.KeyValue))
			}
		})
	}
}

// A broker's answer to one login is not valid for another of the same client, with the
// same ticket, at the same time.
func TestProofOfAnotherLogin(t *testing.T) {
	a, client := newTestAuthenticator()
	var kept []byte
	one := newBroker(client)
	one.first = func(proof []byte) []byte { kept = proof; return proof }
	saslpeer.Succeed(t, logIn(a, testEndpoint.Host, one.login))
	client.ticket = client.last
	other := newBroker(client)
	other.first = func([]byte) []byte { return kept }
	mustFail(t, logIn(a, testEndpoint.Host, other.login), NotMutual)
}
