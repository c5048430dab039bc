package tcp

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"brokerconn/acceptance/proxies"
	"brokerconn/ports"
)

func TestLiteralsNeedNoLookUp(t *testing.T) {
	o := Options{Resolver: &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		t.Error("a literal address was looked up")
		return nil, io.EOF
	}}}
	for _, c := range []struct {
		host    string
		family  AddressFamily
		address string // "": refused
	}{
		{"127.0.0.1", Unspecified, "127.0.0.1:9092"},
		{"127.0.0.1", IPv4, "127.0.0.1:9092"},
		{"127.0.0.1", IPv6, ""},
		{"::1", Unspecified, "[::1]:9092"},
		{"::1", IPv6, "[::1]:9092"},
		{"::1", IPv4, ""},
		{"fe80::1%eth0", IPv6, "[fe80::1%eth0]:9092"},
		{"::ffff:192.0.2.1", Unspecified, "192.0.2.1:9092"},
		{"::ffff:192.0.2.1", IPv6, ""},
	} {
		o.AddressFamily = c.family
		eps, err := Lookup(o)(context.Background(), c.host, 9092)
		if now, nowErr := New(o).Resolve(c.host, 9092).Result(); !reflect.DeepEqual(now, eps) ||
			fmt.Sprint(nowErr) != fmt.Sprint(err) {
			t.Errorf("%s, %v: at once %v, %v; want %v, %v", c.host, c.family, now, nowErr, eps, err)
		}
		if c.address == "" {
			if err == nil || !strings.Contains(err.Error(), c.host+" has no "+c.family.String()+" address") {
				t.Errorf("%s, %v: %v, %v; want an error that names the family", c.host, c.family, eps, err)
			}
			continue
		}
		want := []ports.Endpoint{{Host: c.host, Network: "tcp", Address: c.address}}
		if !reflect.DeepEqual(eps, want) || err != nil {
			t.Errorf("%s, %v: %+v, %v; want %+v", c.host, c.family, eps, err, want)
		}
	}
}

func TestNames(t *testing.T) {
	r := resolver(t, map[string][]string{
		"both.test.":  {"192.0.2.1", "192.0.2.2", "192.0.2.1", "2001:db8::1"},
		"four.test.":  {"192.0.2.9"},
		"empty.test.": {},
	})
	for _, c := range []struct {
		host      string
		family    AddressFamily
		addresses string // sorted by the resolver: any order, none twice
		want      string
	}{
		{"both.test.", Unspecified, "192.0.2.1:7 192.0.2.2:7 [2001:db8::1]:7", ""},
		{"both.test.", IPv4, "192.0.2.1:7 192.0.2.2:7", ""},
		{"both.test.", IPv6, "[2001:db8::1]:7", ""},
		{"four.test.", IPv6, "", "tcp: no IPv6 address: lookup four.test."},
		{"empty.test.", Unspecified, "", "tcp: lookup empty.test."},
		{"gone.test.", Unspecified, "", "no such host"},
	} {
		eps, err := Lookup(Options{Resolver: r, AddressFamily: c.family})(context.Background(), c.host, 7)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %v: %v, want %q", c.host, c.family, err, c.want)
		}
		if err != nil && strings.Count(err.Error(), c.host) != 1 {
			t.Errorf("%s, %v: got %q, want the name once", c.host, c.family, err)
		}
		found := map[string]bool{}
		for _, ep := range eps {
			if found[ep.Address] || ep.Host != c.host || ep.Network != "tcp" {
				t.Errorf("%s, %v: %+v", c.host, c.family, ep)
			}
			found[ep.Address] = true
		}
		want := strings.Fields(c.addresses)
		for _, a := range want {
			if !found[a] {
				t.Errorf("%s, %v: %s was not found in %v", c.host, c.family, a, eps)
			}
		}
		if len(found) != len(want) {
			t.Errorf("%s, %v: %v, want %v", c.host, c.family, eps, want)
		}
	}
}

// The order within a family is the resolver's. Between families it depends on the routes of
// the machine, and without a route on which answer comes first.
func TestOrderIsTheResolvers(t *testing.T) {
	r := resolver(t, map[string][]string{"many.test.": {"192.0.2.3", "192.0.2.1", "2001:db8::2", "192.0.2.2",
		"2001:db8::1"}})
	for family, network := range map[AddressFamily]string{IPv4: "ip4", IPv6: "ip6"} {
		addrs := proxies.Must(r.LookupNetIP(context.Background(), network, "many.test."))(t)
		eps, err := Lookup(Options{Resolver: r, AddressFamily: family})(context.Background(), "many.test.", 7)
		if err != nil || len(eps) != len(addrs) {
			t.Fatalf("%s: got %v, %v; want %v", network, eps, err, addrs)
		}
		for i, a := range addrs {
			if want := netip.AddrPortFrom(a.Unmap(), 7).String(); eps[i].Address != want {
				t.Errorf("%s: endpoint %d is %s, want %s", network, i, eps[i].Address, want)
			}
		}
	}
}

func TestDNSErrorIsReachable(t *testing.T) {
	_, err := Lookup(Options{Resolver: resolver(t, nil)})(context.Background(), "gone.test.", 7)
	var dns *net.DNSError
	if !errors.As(err, &dns) || !dns.IsNotFound || dns.Name != "gone.test." {
		t.Errorf("%v; want a net.DNSError with IsNotFound", err)
	}
}

// resolver answers from a table of fully qualified names, over net.Pipe.
func resolver(t *testing.T, table map[string][]string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go answerDNS(there, table)
		return here, nil
	}}
}

// answerDNS serves one connection in the words of RFC 1035 over TCP: a message
// with one question, after its size.
func answerDNS(conn net.Conn, table map[string][]string) {
	defer func() { _ = conn.Close() }()
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		q := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, q); err != nil {
			return
		}
		name, end := "", 12 // after the header
		for q[end] != 0 {
			n := int(q[end])
			name += string(q[end+1:end+1+n]) + "."
			end += 1 + n
		}
		kind := binary.BigEndian.Uint16(q[end+1:])
		end += 5

		addrs, known := table[name]
		var answers []byte
		count := uint16(0)
		for _, s := range addrs {
			a := netip.MustParseAddr(s)
			if a.Is4() != (kind == 1) {
				continue
			}
			count++
			answers = append(answers, 0xC0, 12) // the name of the question
			answers = binary.BigEndian.AppendUint16(answers, kind)
			answers = append(answers, 0, 1, 0, 0, 0, 60)
			answers = binary.BigEndian.AppendUint16(answers, uint16(len(a.AsSlice())))
			answers = append(answers, a.AsSlice()...)
		}
		code := byte(3) // no such name
		if known {
			code = 0
		}
		m := append([]byte{q[0], q[1], 0x81, 0x80 | code, 0, 1}, byte(count>>8), byte(count), 0, 0, 0, 0)
		m = append(append(m, q[12:end]...), answers...)
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...)); err != nil {
			return
		}
	}
}

// TestFamiliesTakeTurns: RFC 8305, section 4.
func TestFamiliesTakeTurns(t *testing.T) {
	for in, want := range map[string]string{
		"":                                "",
		"1.1.1.1":                         "1.1.1.1",
		"::1 ::2 1.1.1.1 1.1.1.2":         "::1 1.1.1.1 ::2 1.1.1.2",
		"1.1.1.1 1.1.1.2 1.1.1.3 ::1":     "1.1.1.1 ::1 1.1.1.2 1.1.1.3",
		"::1 1.1.1.1 1.1.1.2 1.1.1.3 ::2": "::1 1.1.1.1 ::2 1.1.1.2 1.1.1.3",
	} {
		var addrs []netip.Addr
		for text := range strings.FieldsSeq(in) {
			addrs = append(addrs, netip.MustParseAddr(text))
		}
		var got []string
		for _, a := range inTurns(addrs) {
			got = append(got, a.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %s, want %s", in, strings.Join(got, " "), want)
		}
	}
}
