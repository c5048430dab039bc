package tunneltest

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"net"
	"strings"
)

// Connect is an HTTP proxy that knows CONNECT only (RFC 9110, section 9.3.6). It
// drops what a client says before the tunnel is open.
type Connect struct {
	// Username and Password are the login that it wants; without them it wants
	// none.
	Username, Password string
	// Dial reaches targets.
	Dial DialFunc
}

// Serve serves a connection until it ends.
func (c *Connect) Serve(conn net.Conn) {
	lines := bufio.NewReader(conn)
	first, err := lines.ReadString('\n')
	if err != nil {
		return
	}
	var method, address, version string
	if _, err := fmt.Sscan(first, &method, &address, &version); err != nil || !strings.HasPrefix(version, "HTTP/1.") {
		c.answer(conn, "400 Bad Request")
		return
	}
	authorised := c.Username == ""
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			break
		}
		login := base64.StdEncoding.EncodeToString([]byte(c.Username + ":" + c.Password))
		authorised = authorised || line == "Proxy-Authorization: Basic "+login
	}
	switch {
	case !authorised:
		c.answer(conn, "407 Proxy Authentication Required", `Proxy-Authenticate: Basic realm="test"`)
		return
	case method != "CONNECT":
		c.answer(conn, "405 Method Not Allowed")
		return
	}
	target, err := c.Dial.dial(address)
	if err != nil {
		c.answer(conn, "502 Bad Gateway")
		return
	}
	if !c.answer(conn, "200 Connection established") {
		_ = target.Close() // not used yet
		return
	}
	relay(conn, target)
}

func (c *Connect) answer(conn net.Conn, status string, headers ...string) bool {
	text := strings.Join(append([]string{"HTTP/1.1 " + status}, headers...), "\r\n")
	if !strings.HasPrefix(status, "2") {
		text += "\r\nContent-Length: 0\r\nConnection: close"
	}
	_, err := conn.Write([]byte(text + "\r\n\r\n"))
	return err == nil
}
