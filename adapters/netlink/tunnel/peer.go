package tunnel

import (
	"bytes"
	"errors"
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
// may be all of it that was read, and who says such things. After a login was sent
// the bytes are not shown, since some repeat what they are told.
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
