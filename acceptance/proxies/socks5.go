package proxies

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
	head := read(conn, 4)
	if head == nil || head[0] != 5 || head[1] != 1 {
		return
	}
	address, ok := readAddress(conn, head[3])
	if !ok {
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
	head := read(conn, 2)
	if head == nil || head[0] != 5 {
		return false
	}
	methods, method := read(conn, int(head[1])), byte(0)
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
	version, username, password := read(conn, 1), readText(conn), readText(conn)
	if password == nil || version[0] != 1 {
		return false
	}
	status := byte(0)
	if string(username) != s.Username || string(password) != s.Password {
		status = 1
	}
	_, err := conn.Write([]byte{1, status})
	return err == nil && status == 0
}

func readAddress(conn net.Conn, kind byte) (address string, ok bool) {
	var host string
	switch kind {
	case 1, 4:
		ip, _ := netip.AddrFromSlice(read(conn, map[byte]int{1: 4, 4: 16}[kind]))
		host = ip.String()
	case 3:
		host = string(readText(conn))
	default:
		return "", false
	}
	port := read(conn, 2)
	if port == nil {
		return "", false
	}
	return net.JoinHostPort(host, strconv.Itoa(int(binary.BigEndian.Uint16(port)))), true
}

// readText reads a byte that is a length, and as many bytes; nil if the connection ended.
func readText(conn net.Conn) []byte {
	size := read(conn, 1)
	if size == nil {
		return nil
	}
	return read(conn, int(size[0]))
}

// read reads n bytes; nil if the connection ended.
func read(conn net.Conn, n int) []byte {
	p := make([]byte, n)
	if _, err := io.ReadFull(conn, p); err != nil {
		return nil
	}
	return p
}
