package gssapi

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/types"
)

func nameOf(parts ...string) types.PrincipalName {
	return types.PrincipalName{NameType: 1, NameString: parts}
}

// cacheBytes writes a ticket cache, by the description of the format in MIT's
// documentation.
func cacheBytes(version byte, client principal, tickets ...*ticket) []byte {
	b := []byte{5, version}
	if version == 4 {
		b = append(b, 0, 12, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0)
	}
	data := func(d []byte) { b = append(binary.BigEndian.AppendUint32(b, uint32(len(d))), d...) }
	moment := func(t time.Time) {
		if t.IsZero() {
			t = time.Unix(0, 0)
		}
		b = binary.BigEndian.AppendUint32(b, uint32(t.Unix()))
	}
	who := func(p principal) {
		b = binary.BigEndian.AppendUint32(b, uint32(p.name.NameType))
		b = binary.BigEndian.AppendUint32(b, uint32(len(p.name.NameString)))
		data([]byte(p.realm))
		for _, part := range p.name.NameString {
			data([]byte(part))
		}
	}
	who(client)
	for _, t := range tickets {
		who(t.client)
		who(t.server)
		b = binary.BigEndian.AppendUint16(b, uint16(t.key.KeyType))
		if version == 3 {
			b = binary.BigEndian.AppendUint16(b, uint16(t.key.KeyType))
		}
		data(t.key.KeyValue)
		moment(t.start)
		moment(t.start)
		moment(t.end)
		moment(t.renewTill)
		b = append(b, 0)
		options := uint32(0)
		if !t.renewTill.IsZero() {
			options = 1 << (31 - 8)
		}
		b = binary.BigEndian.AppendUint32(b, options)
		// One address and one piece of authorization data, to be passed over.
		b = append(b, 0, 0, 0, 1, 0, 2, 0, 0, 0, 4, 127, 0, 0, 1)
		b = append(b, 0, 0, 0, 1, 0, 1, 0, 0, 0, 2, 7, 7)
		encoded, err := t.raw.Marshal()
		if err != nil {
			panic(err)
		}
		if t.raw.TktVNO == 0 {
			encoded = []byte("a setting")
		}
		data(encoded)
		data(nil)
	}
	return b
}

func TestParseCache(t *testing.T) {
	w := newWorld()
	w.renew = 7 * 24 * time.Hour
	early, late, other := w.ticket("krbtgt", worldRealm), w.ticket("krbtgt", worldRealm), w.ticket("kafka", "broker.example.org")
	late.end, late.renewTill = late.end.Add(time.Hour), late.end.Add(w.renew)
	setting := &ticket{client: early.client, server: principal{nameOf("krb5_ccache_conf_data", "fast_avail"), "X-CACHECONF:"}}
	for _, version := range []byte{3, 4} {
		c, err := parseCache(cacheBytes(version, early.client, setting, early, other, late))
		if err != nil {
			t.Fatal(err)
		}
		if !c.client.is(early.client) || len(c.tickets) != 3 {
			t.Errorf("version %d: the cache of %s has %d tickets", version, c.client, len(c.tickets))
		}
		got := c.find(granting(worldRealm, worldRealm))
		if got == nil || !got.end.Equal(late.end) || !got.start.Equal(late.start) || !got.renewTill.Equal(late.renewTill) ||
			string(got.key.KeyValue) != string(late.key.KeyValue) || string(got.raw.EncPart.Cipher) != string(late.raw.EncPart.Cipher) {
			t.Errorf("version %d: the ticket-granting ticket is %+v, not that which lasts longest", version, got)
		}
		if c.find(principal{nameOf("kafka", "broker.example.org"), worldRealm}) == nil || c.find(principal{nameOf("kafka", "broker.example.org"), "ELSEWHERE"}) != nil {
			t.Errorf("version %d: a ticket is found where it is not, or not where it is", version)
		}
	}
}

func TestParseCacheRefuses(t *testing.T) {
	w := newWorld()
	good := cacheBytes(4, principal{nameOf("alice"), worldRealm}, w.ticket("krbtgt", worldRealm))
	empty := len(cacheBytes(4, principal{nameOf("alice"), worldRealm}))
	for n := range good { // each is whole, or none at all
		if _, err := parseCache(good[:n]); err == nil && n != empty {
			t.Errorf("the first %d of %d bytes were taken", n, len(good))
		}
	}
	huge := append([]byte{5, 4, 0, 0, 0, 0, 0, 1}, 0xff, 0xff, 0xff, 0xff)
	for _, c := range []struct {
		data []byte
		want string
	}{
		{nil, "no ticket cache"},
		{[]byte("[libdefaults]"), "no ticket cache"},
		{[]byte{5, 2, 0, 0}, "version 2"},
		{huge, "too early"},
		{append(huge, make([]byte, 100)...), "too early"},
	} {
		if _, err := parseCache(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.20q: %v", c.data, err)
		}
	}
}
