package gssapi

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
	"time"

	"brokerconn/ports/porttest"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Brokers that are right, each in its way.
func TestBrokersThatAreRight(t *testing.T) {
	for _, etype := range preferred {
		w := newWorld()
		w.etype = etype
		a := w.alice(t)
		for _, subkey := range []int32{0, 17, 18, 19, 20} {
			for _, c := range []struct {
				name   string
				change func(*broker)
			}{
				{"plain", func(*broker) {}},
				{"rotated, as Windows does", func(b *broker) { b.rrc = 12 }},
				{"rotated more than once around", func(b *broker) { b.rrc = 1000 }},
				{"other layers as well", func(b *broker) { b.offer = []byte{7, 0xff, 0xff, 0xff} }},
				{"by the RFC, no size", func(b *broker) { b.offer = []byte{1, 0, 0, 0} }},
				{"no number of its first message", func(b *broker) { b.seq = 0 }},
				{"a large number, encoded as a negative one", func(b *broker) { b.seq = -5 }},
			} {
				b := w.broker()
				b.subkey = subkey
				c.change(b)
				if err := logIn(a, "broker.example.org", b.login); err != nil || b.turns != 3 {
					t.Errorf("type %d, subkey %d, %s: %v after %d turns", etype, subkey, c.name, err, b.turns)
				}
			}
		}
	}
}

func krbError(code int32, text string) func([]byte) []byte {
	return func([]byte) []byte {
		e := messages.NewKRBError(nameOf("kafka", "broker.example.org"), worldRealm, code, text)
		b, err := e.Marshal()
		if err != nil {
			panic(err)
		}
		return gssToken(tokenError, b)
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

// Brokers that are not, and impostors.
func TestBrokersThatAreNot(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*broker)
		want   Reason
	}{
		// The proof.
		{"nothing instead of a proof", func(b *broker) { b.first = constant("") }, BadToken},
		{"text instead of a proof", func(b *broker) { b.first = constant("HTTP/1.1 400 Bad Request") }, BadToken},
		{"its token comes back", func(b *broker) {
			b.first = func([]byte) []byte { return gssToken(tokenAPReq, []byte("x")) }
		}, NotMutual},
		{"another mechanism", func(b *broker) {
			b.first = func(p []byte) []byte {
				return bytes.Replace(p, mechanism, []byte("\x06\x09\x2a\x86\x48\x82\xf7\x12\x01\x02\x02"), 1)
			}
		}, BadToken},
		{"a proof cut short", func(b *broker) { b.first = truncated(1) }, BadToken},
		{"a proof with something after it", func(b *broker) { b.first = func(p []byte) []byte { return append(p, 0) } }, BadToken},
		{"a proof changed", func(b *broker) { b.first = flipped(-1) }, NotMutual},
		{"a proof without substance", func(b *broker) {
			b.first = func([]byte) []byte { return gssToken(tokenAPRep, nil) }
		}, NotMutual},
		{"a proof with too little in it", func(b *broker) {
			b.first = func([]byte) []byte {
				return gssToken(tokenAPRep, []byte("\x6f\x17\x30\x15\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x0f\xa2\x09\x30\x07\xa0\x03\x02\x01\x12\xa2\x00"))
			}
		}, NotMutual},
		{"another second", func(b *broker) {
			b.part = func(p *messages.EncAPRepPart) { p.CTime = p.CTime.Add(time.Second) }
		}, NotMutual},
		{"another microsecond", func(b *broker) { b.part = func(p *messages.EncAPRepPart) { p.Cusec++ } }, NotMutual},
		{"the key of another ticket", func(b *broker) {
			b.part = func(*messages.EncAPRepPart) { b.ticket.key = newKey(18) }
		}, NotMutual},
		{"a subkey of RC4", func(b *broker) {
			b.part = func(p *messages.EncAPRepPart) {
				p.Subkey = types.EncryptionKey{KeyType: 23, KeyValue: make([]byte, 16)}
			}
		}, EncryptionTypes},
		{"a subkey of the wrong size", func(b *broker) {
			b.part = func(p *messages.EncAPRepPart) {
				p.Subkey = types.EncryptionKey{KeyType: 18, KeyValue: make([]byte, 16)}
			}
		}, EncryptionTypes},
		{"an empty subkey", func(b *broker) {
			b.part = func(p *messages.EncAPRepPart) { p.Subkey = types.EncryptionKey{KeyType: 18, KeyValue: []byte{}} }
		}, EncryptionTypes},
		// What it has against the ticket.
		{"clock skew", func(b *broker) { b.first = krbError(errorcode.KRB_AP_ERR_SKEW, "") }, ClockSkew},
		{"ticket not valid yet", func(b *broker) { b.first = krbError(errorcode.KRB_AP_ERR_TKT_NYV, "") }, ClockSkew},
		{"ticket expired", func(b *broker) { b.first = krbError(errorcode.KRB_AP_ERR_TKT_EXPIRED, "") }, Refused},
		{"another key", func(b *broker) { b.first = krbError(errorcode.KRB_AP_ERR_MODIFIED, "with\nwords\x1b[2J") }, Refused},
		{"an error that is none", func(b *broker) {
			b.first = func([]byte) []byte { return gssToken(tokenError, []byte("no")) }
		}, BadToken},
		// The offer.
		{"nothing instead of an offer", func(b *broker) { b.second = constant("") }, BadToken},
		{"an offer of fifteen octets", func(b *broker) { b.second = func(o []byte) []byte { return o[:15] } }, BadToken},
		{"an offer of a header alone", func(b *broker) { b.second = func(o []byte) []byte { return o[:16] } }, BadToken},
		{"an offer cut short", func(b *broker) { b.second = truncated(1) }, BadToken},
		{"an offer with something after it", func(b *broker) { b.second = func(o []byte) []byte { return append(o, 0) } }, BadToken},
		{"an offer not wrapped", func(b *broker) { b.second = constant("\x01\x00\x00\x00") }, BadToken},
		{"a changed checksum", func(b *broker) { b.second = flipped(-1) }, BadToken},
		{"a changed layer", func(b *broker) { b.second = flipped(16) }, BadToken},
		{"a changed filler", func(b *broker) { b.second = flipped(3) }, BadToken},
		{"no checksum at all", func(b *broker) { b.checksum = func([]byte) []byte { return nil } }, BadToken},
		{"a part of a checksum", func(b *broker) { b.checksum = func(s []byte) []byte { return s[:1] } }, BadToken},
		{"rotated and not told", func(b *broker) {
			b.rrc = 4
			b.second = func(o []byte) []byte { binary.BigEndian.PutUint16(o[6:], 0); return o }
		}, BadToken},
		{"encrypted", func(b *broker) { b.sealed = true }, BadToken},
		{"from the client, as it were", func(b *broker) { b.flags = func(f byte) byte { return f &^ 1 } }, BadToken},
		{"the client's own usage of the key", func(b *broker) { b.usage = 24 }, BadToken},
		{"the mark of a key that was not made", func(b *broker) { b.flags = func(f byte) byte { return f | 4 } }, BadToken},
		{"no mark of the key that was made", func(b *broker) {
			b.subkey = 18
			b.flags = func(f byte) byte { return f &^ 4 }
		}, BadToken},
		{"a flag that means nothing", func(b *broker) { b.flags = func(f byte) byte { return f | 0x80 } }, BadToken},
		{"the client's key, although it made one", func(b *broker) {
			b.subkey = 18
			b.wrapKey = func(types.EncryptionKey) types.EncryptionKey { return b.sent.SubKey }
		}, BadToken},
		{"the key of the ticket", func(b *broker) {
			b.wrapKey = func(types.EncryptionKey) types.EncryptionKey { return b.ticket.key }
		}, BadToken},
		{"the next number", func(b *broker) { b.wrapSeq = 1001 }, BadToken},
		{"a number of more than 32 bits", func(b *broker) { b.wrapSeq = 1<<32 + 1000 }, BadToken},
		{"the proof again", func(b *broker) { b.second = func([]byte) []byte { return b.proof() } }, BadToken},
		{"an offer of three octets", func(b *broker) { b.offer = []byte{1, 0, 0} }, BadToken},
		{"an offer of five octets", func(b *broker) { b.offer = []byte{1, 0, 0, 0, 0} }, BadToken},
		{"an offer of nothing", func(b *broker) { b.offer = []byte{} }, BadToken},
		{"integrity only", func(b *broker) { b.offer = []byte{2, 0, 0xff, 0xff} }, LayerNotOffered},
		{"integrity and confidentiality", func(b *broker) { b.offer = []byte{6, 0, 0xff, 0xff} }, LayerNotOffered},
		{"no layer whatever", func(b *broker) { b.offer = []byte{0, 0, 0, 0} }, LayerNotOffered},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld()
			b := w.broker()
			c.change(b)
			err := logIn(w.alice(t), "broker.example.org", b.login)
			if errors.Is(err, errBroker) {
				t.Fatal(err)
			}
			e := reasoned(t, err, c.want)
			if e.Principal != "kafka/broker.example.org@EXAMPLE.ORG" {
				t.Errorf("the principal is %q", e.Principal)
			}
			if b.turns == 3 {
				t.Error("the broker was answered all the same")
			}
			w.mustNotShow(t, b, err)
		})
	}
}

// mustNotShow looks for every key in an error.
func (w *world) mustNotShow(t *testing.T, b *broker, err error) {
	t.Helper()
	secrets := w.secrets()
	for _, key := range []types.EncryptionKey{b.sent.SubKey, b.key} {
		if len(key.KeyValue) > 0 {
			secrets = append(secrets, string(key.KeyValue))
		}
	}
	porttest.NoSecrets(t, "the error", err, secrets...)
	if text := err.Error(); slices.ContainsFunc([]byte(text), func(c byte) bool { return c < ' ' || c == 0x7f }) {
		t.Errorf("%q has control characters in it", text)
	}
}

// What a broker answers to one login is no answer to another: of the same client,
// with the same ticket, at the same time.
func TestProofOfAnotherLogin(t *testing.T) {
	w := newWorld()
	a := w.alice(t)
	var kept []byte
	first := w.broker()
	first.first = func(proof []byte) []byte { kept = proof; return proof }
	if err := logIn(a, "broker.example.org", first.login); err != nil {
		t.Fatal(err)
	}
	second := w.broker()
	second.first = func([]byte) []byte { return kept }
	reasoned(t, logIn(a, "broker.example.org", second.login), NotMutual)
	if !bytes.Equal(first.ticket.key.KeyValue, second.ticket.key.KeyValue) {
		t.Error("the logins had different tickets")
	}
}
