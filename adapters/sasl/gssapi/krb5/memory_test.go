package krb5

import (
	"iter"
	"net"
	"strings"
	"testing"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"

	"brokerconn/acceptance/hostile"
	"brokerconn/acceptance/saslpeer"
)

// perByte is the memory for each byte of an answer or a file: itself, and what its elements are decoded to.
const perByte = 10

// TestHostileAnswersCostNoMemory: a lie about a length in an answer of a KDC, or in how it derives a key, costs no
// memory ahead of the bytes that came.
func TestHostileAnswersCostNoMemory(t *testing.T) {
	fake := newKDC()
	k := fake.alice().kdc
	alice := inRealm("alice")
	secret := keyring{{alice, 1, fake.clientKey("alice")}}
	request := saslpeer.Must(k.newASRequest(alice, secret))
	refusal := fake.refuse(errorcode.KDC_ERR_PREAUTH_REQUIRED, nameOf("krbtgt", fakeRealm), methods(18, nil))
	answer := fake.answer(saslpeer.Must(request.Marshal()), nil)
	for name, valid := range map[string][]byte{"refusal": refusal, "answer": answer} {
		for lie, message := range hostile.Lies(valid) {
			hostile.Bounded(t, name+", "+lie, message, perByte, func() {
				_, _ = k.readAS(message, request, alice, secret) // it may be valid
			})
		}
	}
	for lie, data := range hostile.Lies(methods(18, []byte{0, 0, 16, 0})) {
		hostile.Bounded(t, "methods, "+lie, data, perByte, func() { _ = k.prove(request, data, alice, secret) })
	}
}

// TestHostileFrameOfKDC: the size before an answer is a lie.
func TestHostileFrameOfKDC(t *testing.T) {
	for lie, framed := range hostile.All([]byte{0, 0, 0, 1, 0x7e}) {
		hostile.Bounded(t, lie, framed, perByte, func() {
			ours, theirs := net.Pipe()
			go func() {
				defer theirs.Close()
				_, _ = theirs.Read(make([]byte, 100))
				_, _ = theirs.Write(framed) // the other end may have enough
			}()
			_, _ = roundTrip(ours, []byte("request")) // it may be valid
			ours.Close()
		})
	}
}

// TestHostileFilesCostNoMemory: a keytab, a ticket cache and a krb5.conf, each of which may be valid.
func TestHostileFilesCostNoMemory(t *testing.T) {
	k := newKDC()
	tickets := []*Ticket{k.ticket("krbtgt", fakeRealm)}
	for lie, data := range hostile.All(k.keytab()) {
		hostile.Bounded(t, "keytab, "+lie, data, perByte, func() { _, _ = parseKeytab(data) })
	}
	for version, lies := range map[byte]func([]byte) iter.Seq2[string, []byte]{3: hostile.Lies, 4: hostile.All} {
		for lie, data := range lies(cacheBytes(version, inRealm("alice"), tickets...)) {
			hostile.Bounded(t, "ticket cache, "+lie, data, perByte, func() { _, _ = parseCache(data) })
		}
	}
	for _, text := range []string{
		"[libdefaults]\n" + strings.Repeat("a = b\n", 10_000), "[realms]\n" + strings.Repeat("A = {\n", 10_000),
		strings.Repeat("[realms]\n", 10_000), "[libdefaults]\nudp_preference_limit = 18446744073709551616\n",
		"[libdefaults]\ndefault_tgs_enctypes = " + strings.Repeat("aes256-cts ", 10_000),
	} {
		const perByte = 20 // a line of six letters is an element of 100 bytes
		hostile.Bounded(t, text[:40], []byte(text), perByte, func() { _, _ = loadConf(text, "") })
	}
}
