package proxies

import (
	"bufio"
	"encoding/base64"
	"net"
	"net/http"
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
	request, err := http.ReadRequest(bufio.NewReader(conn))
	login := base64.StdEncoding.EncodeToString([]byte(c.Username + ":" + c.Password))
	switch {
	case err != nil:
		c.answer(conn, "400 Bad Request")
		return
	case c.Username != "" && request.Header.Get("Proxy-Authorization") != "Basic "+login:
		c.answer(conn, "407 Proxy Authentication Required", `Proxy-Authenticate: Basic realm="test"`)
		return
	case request.Method != http.MethodConnect:
		c.answer(conn, "405 Method Not Allowed")
		return
	}
	target, err := c.Dial.dial(request.Host)
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
