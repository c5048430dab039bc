package tls

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brokerconn/ports"
)

// crypto/tls answers a KeyUpdate and sends none. So after a handshake of its own a peer reads and
// writes its records by hand here, of RFC 8446, section 5, with TLS_AES_128_GCM_SHA256.

const (
	ofAlertRecord     = 21
	ofHandshake       = 22
	ofContent         = 23
	updateRequested   = "\x18\x00\x00\x01\x01"
	updateUnrequested = "\x18\x00\x00\x01\x00"
)

// protection is that of the records in one direction.
type protection struct {
	secret []byte
	aead   cipher.AEAD
	iv     []byte
	count  uint64
}

func expand(secret []byte, label string, size int) []byte {
	label = "tls13 " + label
	info := append(binary.BigEndian.AppendUint16(nil, uint16(size)), byte(len(label)))
	return must(hkdf.Expand(sha256.New, secret, string(append(info, label...))+"\x00", size))
}

func (p *protection) use(secret []byte) {
	*p = protection{
		secret: secret, iv: expand(secret, "iv", 12),
		aead: must(cipher.NewGCM(must(aes.NewCipher(expand(secret, "key", 16))))),
	}
}

func (p *protection) update() { p.use(expand(p.secret, "traffic upd", 32)) }

func (p *protection) nonce() []byte {
	nonce := bytes.Clone(p.iv)
	binary.BigEndian.PutUint64(nonce[4:], binary.BigEndian.Uint64(nonce[4:])^p.count)
	p.count++
	return nonce
}

// byHand is the peer of a link after the handshake.
type byHand struct {
	conn     net.Conn
	mu       sync.Mutex // guards out
	out, in  protection
	answered int // KeyUpdates that came
	asked    int
	ended    bool // close_notify came
}

// securedByHand returns a link, and its peer.
func securedByHand(t *testing.T, wrap func(net.Conn) net.Conn) (parkedLink, *byHand) {
	t.Helper()
	var keys strings.Builder
	link, peer := securedPair(t, func(c *tls.Config) {
		sealings["TLS 1.3"](c)
		if c.Certificates != nil {
			c.KeyLogWriter, c.SessionTicketsDisabled = &keys, true
		}
	}, wrap)
	if suite := peer.ConnectionState().CipherSuite; suite != tls.TLS_AES_128_GCM_SHA256 {
		t.Skipf("needs a processor with AES: crypto/tls has chosen %s", tls.CipherSuiteName(suite))
	}
	p := &byHand{conn: peer.NetConn()}
	for line := range strings.Lines(keys.String()) {
		switch fields := strings.Fields(line); fields[0] {
		case "CLIENT_TRAFFIC_SECRET_0":
			p.in.use(must(hex.DecodeString(fields[2])))
		case "SERVER_TRAFFIC_SECRET_0":
			p.out.use(must(hex.DecodeString(fields[2])))
		}
	}
	return link, p
}

func (p *byHand) send(kind byte, content string) error {
	header := binary.BigEndian.AppendUint16([]byte{ofContent, 3, 3}, uint16(len(content)+1+16))
	_, err := p.conn.Write(p.out.aead.Seal(header, p.out.nonce(), append([]byte(content), kind), header))
	return err
}

// ask sends a KeyUpdate, and content behind it.
func (p *byHand) ask(content string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	err := p.send(ofHandshake, updateRequested)
	p.out.update()
	return errors.Join(err, p.send(ofContent, content))
}

// receive returns the content of the next record; none if it is a KeyUpdate.
func (p *byHand) receive() ([]byte, error) {
	header := make([]byte, 5)
	if _, err := io.ReadFull(p.conn, header); err != nil {
		return nil, err
	}
	record := make([]byte, binary.BigEndian.Uint16(header[3:]))
	if _, err := io.ReadFull(p.conn, record); err != nil {
		return nil, err
	}
	inner, err := p.in.aead.Open(nil, p.in.nonce(), record, header)
	if err != nil {
		return nil, err
	}
	content, kind := inner[:len(inner)-1], inner[len(inner)-1]
	switch {
	case kind == ofContent:
		return content, nil
	case kind == ofHandshake && string(content) == updateUnrequested:
		p.answered++
		p.in.update()
		return nil, nil
	case kind == ofAlertRecord && string(content) == "\x01\x00":
		p.ended = true
		return nil, nil
	}
	return nil, errors.New("a record of kind " + string('0'+rune(kind)))
}

// TestKeyUpdatesInTransfer: each interruption may find an answer of Read's between the records of Write.
func TestKeyUpdatesInTransfer(t *testing.T) {
	const size = 8 << 20
	want := patterned(size)
	link, peer := securedByHand(t, nil)
	received, asking, reading := make(chan error, 1), make(chan struct{}), make(chan struct{})
	go func() {
		for off := 0; off < size; {
			content, err := peer.receive()
			if err != nil || !bytes.Equal(content, want[off:off+len(content)]) {
				received <- errors.Join(errors.New("other bytes than were written"), err)
				return
			}
			off += len(content)
		}
		received <- nil
	}()
	var over atomic.Bool
	go func() {
		defer close(asking)
		for !over.Load() {
			mustAsk(t, peer)
			time.Sleep(rand.N(time.Millisecond))
			link.Interrupt()
			time.Sleep(rand.N(200 * time.Microsecond))
			link.Resume()
		}
	}()
	go func() {
		defer close(reading)
		for p := make([]byte, 1000); ; {
			if _, err := link.Read(p); err != nil && (err != ports.ErrInterrupted || over.Load()) {
				return
			}
		}
	}()
	for off := 0; off < size; {
		n, err := link.Write(want[off:min(size, off+1+rand.N(100_000))])
		if off += n; err != nil && err != ports.ErrInterrupted {
			t.Fatal(err)
		}
		time.Sleep(rand.N(2 * time.Millisecond))
	}
	if err := <-received; err != nil {
		t.Error(err)
	}
	over.Store(true)
	<-asking
	link.Interrupt()
	<-reading
	if peer.answered < 10 || peer.answered > peer.asked {
		t.Errorf("%d answers to %d KeyUpdates", peer.answered, peer.asked)
	}
}

func mustAsk(t *testing.T, peer *byHand) {
	t.Helper()
	if err := peer.ask("x"); err != nil {
		t.Error(err)
	}
}

// TestAnswerBehindInterruptedWrite: it comes behind what is sealed already, Read does not wait
// for it, and it does not count as content.
func TestAnswerBehindInterruptedWrite(t *testing.T) {
	under := new(narrow)
	under.room.Store(-1)
	link, peer := securedByHand(t, func(conn net.Conn) net.Conn {
		under.Conn = conn
		return under
	})
	under.room.Store(10)
	want := patterned(100_000)
	if n, err := link.Write(want); n != 0 || err != ports.ErrInterrupted {
		t.Fatalf("Write: %d, %v", n, err)
	}
	mustAsk(t, peer)
	if n, err := link.Read(make([]byte, 2)); n != 1 || err != nil {
		t.Fatalf("Read: %d, %v", n, err)
	}
	const sealed = 64 << 10
	under.room.Store(sealed + 4*22 - 10 + 3) // and three bytes of the answer
	n, err := link.Write(want)
	if n != sealed || err != ports.ErrInterrupted {
		t.Errorf("Write: %d, %v; want %d", n, err, sealed)
	}
	under.room.Store(24) // the rest of the answer, which is longer than a byte as a record
	if n, err := link.Write(want[sealed : sealed+1]); n != 0 || err != ports.ErrInterrupted {
		t.Errorf("Write behind the answer: %d, %v", n, err)
	}
	under.room.Store(-1)
	go func() { _, _ = link.Write(want[sealed:]) }()
	for off := 0; off < len(want); {
		content, err := peer.receive()
		if err != nil || !bytes.Equal(content, want[off:off+len(content)]) {
			t.Fatalf("other content at %d, %v", off, err)
		}
		if off += len(content); peer.answered == 1 && off < sealed {
			t.Fatalf("the answer came at %d", off)
		}
	}
	if peer.answered != 1 {
		t.Errorf("%d answers", peer.answered)
	}
}

// TestAnswersAroundContent: content is over at the end of its own record, whatever Read seals meanwhile.
func TestAnswersAroundContent(t *testing.T) {
	s := newSealer(nil)
	s.expect(100)
	for _, size := range []int{27, 122, 27} {
		if n, err := s.add(make([]byte, size)); n != size || err != nil {
			t.Fatal(n, err)
		}
	}
	s.arrived()
	if want := []record{{27 + 122, 100}}; !slices.Equal(s.sealed, want) {
		t.Errorf("got %v, want %v", s.sealed, want)
	}
}

// TestAnswerLeavesWithClose: if nothing is written any more.
func TestAnswerLeavesWithClose(t *testing.T) {
	link, peer := securedByHand(t, nil)
	mustAsk(t, peer)
	if n, err := link.Read(make([]byte, 2)); n != 1 || err != nil {
		t.Fatalf("Read: %d, %v", n, err)
	}
	mustDo(t, link.Close())
	for range 2 {
		if _, err := peer.receive(); err != nil {
			t.Fatal(err)
		}
	}
	if peer.answered != 1 || !peer.ended {
		t.Errorf("%d answers, close_notify: %v", peer.answered, peer.ended)
	}
}

// TestAnswersAreBounded: a peer that asks and does not read costs no more memory, and then the link.
func TestAnswersAreBounded(t *testing.T) {
	link, peer := securedByHand(t, nil)
	go func() {
		for peer.ask("x") == nil {
		}
	}()
	answers := 0
	for {
		if _, err := link.Read(make([]byte, 1)); err != nil {
			break
		}
		if answers++; answers > maxSealed/27 {
			t.Fatalf("%d answers fit into %d bytes", answers, maxSealed)
		}
	}
	if _, err := link.Write([]byte("x")); err == nil || err == ports.ErrInterrupted {
		t.Errorf("Write after %d answers: %v", answers, err)
	}
}
