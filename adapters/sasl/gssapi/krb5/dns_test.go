package krb5

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"brokerconn/acceptance/hostile"
	"brokerconn/acceptance/saslpeer"
)

// dnsServer answers one query of the resolver with bytes, over a pipe, and the queries after it not at all.
type dnsServer struct {
	packet []byte // over UDP, unless it is nil
	stream []byte // over TCP: with the size before it
	asked  []string
}

// packetConn is a pipe that the resolver takes for UDP.
type packetConn struct{ net.Conn }

func (packetConn) ReadFrom([]byte) (int, net.Addr, error)    { panic("not called") }
func (packetConn) WriteTo([]byte, net.Addr) (n int, e error) { panic("not called") }

func (s *dnsServer) dial(_ context.Context, network, _ string) (net.Conn, error) {
	if slices.Contains(s.asked, network) {
		return nil, errors.New("no more answers")
	}
	s.asked = append(s.asked, network)
	here, there := net.Pipe()
	if s.packet != nil && network == "udp" {
		go answerQuery(there, s.packet, 0)
		return packetConn{here}, nil
	}
	go answerQuery(there, s.stream, 2)
	return here, nil
}

// answerQuery sends an answer with the id of the query (RFC 1035, section 4.1.1), behind a size of some bytes.
func answerQuery(conn net.Conn, answer []byte, size int) {
	defer conn.Close()
	query := make([]byte, 512)
	if n, err := conn.Read(query); err != nil || n < size+2 {
		return
	}
	answer = slices.Clone(answer)
	copy(answer[min(size, len(answer)):], query[size:size+2])
	_, _ = conn.Write(answer) // the resolver may have enough
	if size == 0 {
		_, _ = io.Copy(io.Discard, conn) // a packet has no end behind it
	}
}

// find returns the KDCs of EXAMPLE.ORG, by DNS.
func (s *dnsServer) find() ([]string, error) {
	s.asked = nil
	r := &net.Resolver{PreferGo: true, Dial: s.dial}
	k := kdcs{conf: &conf{lookupKDC: true}, srv: r.LookupSRV, timeout: DefaultKDCTimeout}
	return k.find(context.Background(), fakeRealm)
}

const (
	question   = "\x09_kerberos\x04_tcp\x07EXAMPLE\x03ORG\x00\x00\x21\x00\x01"
	ofQuestion = "\xc0\x0c" // a pointer to its name, behind the header
	ofRealm    = "\xc0\x1b" // to EXAMPLE.ORG in it
)

// message is an answer with records in it.
func message(records ...string) []byte {
	m := []byte("\x00\x00\x81\x80\x00\x01")
	m = binary.BigEndian.AppendUint16(m, uint16(len(records)))
	return append(m, "\x00\x00\x00\x00"+question+strings.Join(records, "")...)
}

// sized is a message as TCP has it (RFC 1035, section 4.2.2).
func sized(m []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...) }

// record is a record of the question's name (RFC 1035, section 3.2.1).
func record(kind uint16, data string) string {
	r := append([]byte(ofQuestion), byte(kind>>8), byte(kind), 0, 1, 0, 0, 0, 60)
	return string(binary.BigEndian.AppendUint16(r, uint16(len(data)))) + data
}

// srv is a record of a KDC at port 88 (RFC 2782); target is a name as a message has it.
func srv(priority uint16, target string) string {
	data := binary.BigEndian.AppendUint16(nil, priority)
	return record(33, string(data)+"\x00\x00\x00\x58"+target)
}

// pointer is a name that is elsewhere in the message (RFC 1035, section 4.1.4).
func pointer(at int) string { return string([]byte{0xc0, byte(at)}) }

const (
	cname       = 5
	firstTarget = 12 + len(question) + 12 + 6 // behind the header, the question, and what the record has before it
)

// TestAnswersOfDNS: which KDCs are asked for an answer of the name server, and which answers are errors.
func TestAnswersOfDNS(t *testing.T) {
	const kdc, other = "\x03kdc" + ofRealm, "\x05other" + ofRealm
	var many, first []string // the thousand of them, and those of the highest priority
	for i := range 1000 {
		many = append(many, srv(uint16(i), fmt.Sprintf("\x04k%03d", i)+ofRealm))
		if i < 32 {
			first = append(first, fmt.Sprintf("k%03d.EXAMPLE.ORG:88", i))
		}
	}
	honest := message(srv(2, other), srv(1, kdc))
	const one, both = "kdc.EXAMPLE.ORG:88", "kdc.EXAMPLE.ORG:88 other.EXAMPLE.ORG:88"
	for name, c := range map[string]struct {
		packet, stream []byte
		want           string // "" for an error
	}{
		"two":              {nil, sized(honest), both},
		"two, in a packet": {honest, nil, both},
		"with other records": {nil, sized(message(record(cname, kdc), srv(1, kdc), record(1, "\x01\x02\x03\x04"))),
			one},
		"truncated, then whole":          {truncated(honest[:len(honest)-9]), sized(honest), both},
		"truncated packet, and no TCP":   {truncated(honest), nil, ""},
		"truncated over TCP too":         {truncated(honest), sized(truncated(honest)), both}, // as glibc reads it
		"the end is missing":             {nil, sized(honest)[:len(honest)-9], ""},
		"no record":                      {nil, sized(message()), ""},
		"no such name":                   {nil, sized(coded(message(), 3)), ""},
		"a server that fails":            {nil, sized(coded(message(), 2)), ""},
		"a target that points to itself": {nil, sized(message(srv(0, pointer(firstTarget)))), ""},
		"a name that points to itself":   {nil, sized(message(pointer(12 + len(question)))), ""},
		"aliases in a circle": {nil,
			sized(message(record(cname, ofQuestion), record(cname, ofQuestion))), ""},
		"not offered":             {nil, sized(message(srv(0, "\x00"))), ""}, // RFC 2782
		"not offered, beside one": {nil, sized(message(srv(0, "\x00"), srv(1, kdc))), one},
		"characters that no host has": {nil, sized(message(srv(0, "\x05a b/c"+ofRealm), srv(0, "\x03a:1"+ofRealm),
			srv(0, "\x03\x1b[2"+ofRealm), srv(1, kdc))), one},
		"a target that ends early": {nil, sized(message(srv(0, "\x3fkdc"))), ""},
		"a thousand":               {nil, sized(message(many...)), strings.Join(first, " ")},
	} {
		got, err := (&dnsServer{packet: c.packet, stream: c.stream}).find()
		if strings.Join(got, " ") != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: got %v, %v, want %q", name, got, err, c.want)
		}
		if err != nil {
			saslpeer.Equal(t, name+": the realm", mustFail(t, err, UnknownRealm).Principal, fakeRealm)
		}
	}
}

// truncated is a message with TC (RFC 1035, section 4.1.1).
func truncated(m []byte) []byte {
	m = slices.Clone(m)
	m[2] |= 2
	return m
}

// coded is a message with an RCODE.
func coded(m []byte, code byte) []byte {
	m[3] |= code
	return m
}

// perRecordByte is the memory for each byte of an answer. A record of 20 bytes, whose target is a pointer, is a name of
// 255 bytes, which the resolver has as an array and as a string, and in an SRV.
const perRecordByte = 60

// TestHostileDNSCostsNoMemory: a lie about a length, a count or a pointer in place of each byte of an answer.
func TestHostileDNSCostsNoMemory(t *testing.T) {
	valid := sized(message(srv(2, "\x05other"+ofRealm), record(cname, "\x03kdc"+ofRealm), srv(1, "\x03kdc"+ofRealm)))
	find := func(name string, answer []byte) {
		s := &dnsServer{stream: answer}
		hostile.Bounded(t, name, answer, perRecordByte, func() {
			if _, err := s.find(); err != nil { // it may be valid
				mustFail(t, err, UnknownRealm)
			}
		})
	}
	for lie, answer := range hostile.All(valid) {
		find(lie, answer)
	}
	for at := range valid {
		for _, name := range []string{"\xc0\x00", "\xff\xff", pointer(at), ofQuestion} {
			answer := slices.Concat(valid[:at], []byte(name), valid[min(at+2, len(valid)):])
			find(fmt.Sprintf("name %x at byte %d", name, at), answer)
		}
	}
	label := "\x3f" + strings.Repeat("a", 63)
	records := []string{srv(0, label+label+label+"\x2b"+strings.Repeat("a", 43)+ofRealm)}
	for len(records) < 3000 {
		records = append(records, srv(1, pointer(firstTarget)))
	}
	find("3,000 records of long names", sized(message(records...)))
}
