package tunnel

import (
	"bytes"
	"errors"
	"fmt"
)

// peers are other protocols, by the first bytes of their answer.
var peers = []struct{ begins, is string }{
	{"SSH-", "an SSH server"},
	{"HTTP/", "a web server or an HTTP proxy"},
	{"<", "an old web server"},
	{"\x15\x03", "TLS: connect to the proxy over TLS"},
	{"\x16\x03", "TLS: connect to the proxy over TLS"},
	{"\x05", "a SOCKS5 proxy"},
	{"\x00", "possibly a SOCKS4 proxy"},
	{"220", "an FTP or mail server"},
}

// maxShown bounds the bytes of a peer in an error.
const maxShown = 32

// Unlike returns the Cause of an ErrGarbage: the first bytes of the answer, of which
// perhaps two were read, and the protocol they belong to. After a login was sent the bytes
// are not shown, because some peers repeat their input.
func Unlike(first []byte, loginSent bool) error {
	begins := "the answer begins with other bytes"
	if !loginSent {
		begins = fmt.Sprintf("the answer begins with %q", first[:min(len(first), maxShown)])
	}
	for _, p := range peers {
		known := []byte(p.begins)
		if bytes.HasPrefix(first, known) || len(first) >= 2 && bytes.HasPrefix(known, first) {
			return errors.New(begins + ": " + p.is)
		}
	}
	return errors.New(begins)
}
