package krb5

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"brokerconn/acceptance/saslpeer"
)

// cacheBytes returns a ticket cache in the format of MIT's documentation.
func cacheBytes(version byte, client Principal, tickets ...*Ticket) []byte {
	b := []byte{5, version}
	put := func(values ...any) {
		for _, v := range values {
			switch v := v.(type) {
			case string: // with its size before it
				b = append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...)
			case time.Time:
				b = binary.BigEndian.AppendUint32(b, uint32(max(v.Unix(), 0)))
			default:
				b = saslpeer.Must(binary.Append(b, binary.BigEndian, v))
			}
		}
	}
	who := func(p Principal) {
		put(p.Name.NameType, uint32(len(p.Name.NameString)), p.Realm)
		for _, part := range p.Name.NameString {
			put(part)
		}
	}
	if version == 4 {
		put([]byte{0, 12, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0})
	}
	who(client)
	for _, t := range tickets {
		who(t.Client)
		who(t.Server)
		put(uint16(t.Key.KeyType))
		if version == 3 {
			put(uint16(t.Key.KeyType))
		}
		options, encoded := uint32(0), "a setting"
		if !t.renewTill.IsZero() {
			options = 1 << (31 - 8)
		}
		if t.Raw.TktVNO != 0 {
			encoded = string(saslpeer.Must(t.Raw.Marshal()))
		}
		put(string(t.Key.KeyValue), t.start, t.start, t.end, t.renewTill, byte(0), options)
		// One address and one piece of authorization data, which are skipped.
		put(uint32(1), uint16(2), "\x7f\x00\x00\x01", uint32(1), uint16(1), "\x07\x07", encoded, "")
	}
	return b
}

func TestParseCache(t *testing.T) {
	k := newKDC()
	k.renew = 7 * 24 * time.Hour
	early, late, other := k.ticket("krbtgt", fakeRealm), k.ticket("krbtgt", fakeRealm),
		k.ticket("kafka", "broker.example.org")
	late.end, late.renewTill = late.end.Add(time.Hour), late.end.Add(k.renew)
	setting := &Ticket{Client: early.Client, Server: Principal{nameOf("krb5_ccache_conf_data", "fast_avail"),
		"X-CACHECONF:"}}
	for _, version := range []byte{3, 4} {
		c := saslpeer.Must(parseCache(cacheBytes(version, early.Client, setting, early, other, late)))
		saslpeer.Equal(t, "the client, tickets", fmt.Sprint(c.client, len(c.tickets)), "alice@EXAMPLE.ORG 3")
		got := c.find(granting(fakeRealm, fakeRealm))
		if got == nil || !got.end.Equal(late.end) || !got.start.Equal(late.start) ||
			!got.renewTill.Equal(late.renewTill) || string(got.Key.KeyValue) != string(late.Key.KeyValue) ||
			string(got.Raw.EncPart.Cipher) != string(late.Raw.EncPart.Cipher) {
			t.Errorf("version %d: got the ticket %+v, want the one that ends last", version, got)
		}
		if c.find(inRealm("kafka", "broker.example.org")) == nil ||
			c.find(Principal{nameOf("kafka", "broker.example.org"), "ELSEWHERE"}) != nil {
			t.Errorf("version %d: got the wrong ticket for a service", version)
		}
	}
}

func TestMalformedTicketCaches(t *testing.T) {
	k := newKDC()
	good := cacheBytes(4, inRealm("alice"), k.ticket("krbtgt", fakeRealm))
	empty := len(cacheBytes(4, inRealm("alice")))
	for n := range good { // each one is truncated
		if _, err := parseCache(good[:n]); err == nil && n != empty {
			t.Errorf("%d of %d bytes: got no error, want one", n, len(good))
		}
	}
	huge := append([]byte{5, 4, 0, 0, 0, 0, 0, 1}, 0xff, 0xff, 0xff, 0xff)
	for _, c := range []struct {
		data []byte
		want string
	}{
		{nil, "not a ticket cache"},
		{[]byte("[libdefaults]"), "not a ticket cache"},
		{[]byte{5, 2, 0, 0}, "version 2"},
		{huge, "truncated"},
		{append(huge, make([]byte, 100)...), "truncated"},
	} {
		saslpeer.ErrorSays(t, fmt.Sprintf("%.20q", c.data), saslpeer.Err(parseCache(c.data)), c.want)
	}
}
