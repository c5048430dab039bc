package tunneltest

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
)

// Socks5 is a SOCKS5 proxy (RFC 1928).
type Socks5 struct {
	// Username and Password are the login that it wants; without them it wants
	// none.
	Username, Password string
	// Dial reaches targets.
	Dial DialFunc
}

// Serve serves a connection until it ends.
func (s *Socks5) Serve(conn net.Conn) {
	if !s.login(conn) {
		return
	}
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return
	}
	address, ok := readAddress(conn, head[3])
	if !ok || head[0] != 5 || head[1] != 1 {
		return
	}
	target, err := s.Dial.dial(address)
	if err != nil {
		reply := byte(4)
		if refused(err) {
			reply = 5
		}
		_, _ = conn.Write([]byte{5, reply, 0, 1, 0, 0, 0, 0, 0, 0}) // over either way
		return
	}
	if _, err := conn.Write([]byte{5, 0, 0, 1, 192, 0, 2, 1, 0, 7}); err != nil {
		_ = target.Close() // not used yet
		return
	}
	relay(conn, target)
}

func (s *Socks5) login(conn net.Conn) bool {
	var head [2]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil || head[0] != 5 {
		return false
	}
	methods := make([]byte, head[1])
	if _, err := io.ReadFull(conn, methods); err != nil {
		return false
	}
	method := byte(0)
	if s.Username != "" {
		method = 2
	}
	if !slices.Contains(methods, method) {
		_, _ = conn.Write([]byte{5, 0xff}) // over either way
		return false
	}
	if _, err := conn.Write([]byte{5, method}); err != nil || method == 0 {
		return err == nil
	}
	var version [1]byte
	if _, err := io.ReadFull(conn, version[:]); err != nil || version[0] != 1 {
		return false
	}
	username, ok1 := readText(conn)
	password, ok2 := readText(conn)
	if !ok1 || !ok2 {
		return false
	}
	status := byte(0)
	if username != s.Username || password != s.Password {
		status = 1
	}
	_, err := conn.Write([]byte{1, status})
	return err == nil && status == 0
}

func readAddress(conn net.Conn, kind byte) (string, bool) {
	var host string
	switch kind {
	case 1, 4:
		ip := make([]byte, map[byte]int{1: 4, 4: 16}[kind])
		if _, err := io.ReadFull(conn, ip); err != nil {
			return "", false
		}
		addr, _ := netip.AddrFromSlice(ip)
		host = addr.String()
	case 3:
		name, ok := readText(conn)
		if !ok {
			return "", false
		}
		host = name
	default:
		return "", false
	}
	var port [2]byte
	_, err := io.ReadFull(conn, port[:])
	return net.JoinHostPort(host, strconv.Itoa(int(binary.BigEndian.Uint16(port[:])))), err == nil
}

// readText reads a byte that is a length, and as many bytes.
func readText(conn net.Conn) (string, bool) {
	var size [1]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return "", false
	}
	text := make([]byte, size[0])
	_, err := io.ReadFull(conn, text)
	return string(text), err == nil
}
