package tunnel

import (
	"bytes"
	"fmt"
)

// What answers a greeting that it does not understand, by its first bytes.
var peers = []struct{ begins, is string }{
	{"SSH-", "an SSH server"},
	{"HTTP/", "a web server or an HTTP proxy"},
	{"<", "an old web server"},
	{"\x15\x03", "TLS: the proxy is to be reached over it"},
	{"\x16\x03", "TLS: the proxy is to be reached over it"},
	{"\x05", "a SOCKS5 proxy"},
	{"\x00", "perhaps a SOCKS4 proxy"},
	{"220", "an FTP or mail server"},
}

// maxShown bounds what of a peer's bytes gets into an error.
const maxShown = 32

// Unlike is the Cause of an ErrGarbage: what began the answer, where two bytes
// may be all of it that was read, and who says such things.
func Unlike(first []byte) error {
	shown := first[:min(len(first), maxShown)]
	for _, p := range peers {
		begins := []byte(p.begins)
		if bytes.HasPrefix(first, begins) || len(first) >= 2 && bytes.HasPrefix(begins, first) {
			return fmt.Errorf("the answer begins with %q: %s", shown, p.is)
		}
	}
	return fmt.Errorf("the answer begins with %q", shown)
}
