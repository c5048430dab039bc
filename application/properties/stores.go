package properties

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// Files of certificates and keys are PEM here. What else people have is told by
// its first bytes, and named with the commands that convert it. Names are as the
// process finds them: relative ones from where it runs.

// maxStoreBytes bounds such a file: the authorities of a whole system are a
// quarter of it.
const maxStoreBytes = 1 << 20

type storeKind uint8

const (
	pemStore storeKind = iota
	jksStore
	pkcs12Store
	derStore
	otherStore
)

// kindOf looks at the magic numbers: FEEDFEED begins a JKS, CECECECE a JCEKS; a
// PKCS#12 is a DER sequence whose first member is the version 3.
func kindOf(data []byte) storeKind {
	switch {
	case bytes.HasPrefix(data, []byte{0xfe, 0xed, 0xfe, 0xed}), bytes.HasPrefix(data, []byte{0xce, 0xce, 0xce, 0xce}):
		return jksStore
	case bytes.Contains(data, []byte("-----BEGIN ")):
		return pemStore
	case len(data) > 1 && data[0] == 0x30:
		content := 2 // after a length of one byte
		if n := data[1]; n > 0x80 {
			content += int(n & 0x7f)
		}
		if len(data) > content && bytes.HasPrefix(data[content:], []byte{2, 1, 3}) {
			return pkcs12Store
		}
		return derStore
	}
	return otherStore
}

// what a file is to have in it.
type content struct {
	what   string // in words
	is     func(blockType string) bool
	toPEM  func(file string, kind storeKind) string // the commands; nil: none
	rawDER bool                                     // DER will do as well
}

var (
	authorities = &content{what: "certificates", is: isCertificate, toPEM: func(file string, kind storeKind) string {
		switch kind {
		case jksStore:
			return "keytool -list -rfc -keystore " + file + " > ca.pem"
		case pkcs12Store:
			return "openssl pkcs12 -nokeys -in " + file + " -out ca.pem"
		}
		return "openssl x509 -inform der -in " + file + " -out ca.pem"
	}}
	clientChain = &content{what: "certificates", is: isCertificate, toPEM: keyAndChain}
	clientKey   = &content{what: "a private key", is: isKey, toPEM: func(file string, kind storeKind) string {
		if kind == derStore {
			return "openssl pkey -inform der -in " + file + " -out client.pem"
		}
		return keyAndChain(file, kind)
	}}
	revocations = &content{what: "revocation lists", is: func(t string) bool { return t == "X509 CRL" }, rawDER: true}
)

func keyAndChain(file string, kind storeKind) string {
	switch kind {
	case jksStore:
		return "keytool -importkeystore -srckeystore " + file + " -destkeystore client.p12 -deststoretype PKCS12 && openssl pkcs12 -in client.p12 -out client.pem"
	case pkcs12Store:
		return "openssl pkcs12 -in " + file + " -out client.pem"
	}
	return "openssl x509 -inform der -in " + file + " -out client.pem"
}

func isCertificate(t string) bool {
	return t == "CERTIFICATE" || t == "X509 CERTIFICATE" || t == "TRUSTED CERTIFICATE"
}

func isKey(t string) bool { return t == "PRIVATE KEY" || strings.HasSuffix(t, " PRIVATE KEY") }

// inspect looks into a file that a setting names, and refuses the setting if the
// file will not do. It returns what is in it.
func (r *reader) inspect(p *Property, name string, want *content) []byte {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		r.reject(p, "%q is a folder: name one file, with %s as PEM", name, want.what)
		return nil
	}
	data, err := readBounded(name, maxStoreBytes)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.reject(p, "there is no file %q: the path of a file with %s as PEM", name, want.what)
		return nil
	case err != nil:
		r.reject(p, "%v: a readable file with %s as PEM", err, want.what)
		return nil
	}
	return r.inspectData(p, name, data, want)
}

// exists refuses a setting whose file is not there to be read.
func (r *reader) exists(p *Property, what, name string) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.reject(p, "there is no file %q: the path of a %s", name, what)
	case err != nil:
		r.reject(p, "%v: the path of a %s", err, what)
	case info.IsDir():
		r.reject(p, "%q is a folder: the path of a %s", name, what)
	}
}

func (r *reader) inspectData(p *Property, name string, data []byte, want *content) []byte {
	kind := kindOf(data)
	switch {
	case kind == derStore && want.rawDER:
		return data
	case (kind == jksStore || kind == pkcs12Store) && want.toPEM == nil:
		r.reject(p, "%q is a %v store: a file with %s", name, kind, want.what)
	case kind == jksStore, kind == pkcs12Store:
		r.reject(p, "%q is a %v store, and only PEM is read: convert it: %s", name, kind, want.toPEM(shellQuoted(name), kind))
	case kind == derStore:
		r.reject(p, "%q is DER, and only PEM is read: convert it: %s", name, want.toPEM(shellQuoted(name), kind))
	case len(bytes.TrimSpace(data)) == 0:
		r.reject(p, "%q is empty: a file with %s as PEM", name, want.what)
	case kind != pemStore:
		r.reject(p, "%q is not PEM: a file with %s between -----BEGIN and -----END lines", name, want.what)
	case !want.in(data):
		r.reject(p, "%q is PEM, but has no %s", name, strings.TrimPrefix(want.what, "a "))
	default:
		return data
	}
	return nil
}

// pemText returns a value that is PEM itself, and maybe a secret, with its line ends.
// People write it on one line, with "\n" or without, so it is not decoded here.
func pemText(p *Property, want *content) (string, error) {
	_, rest, begins := strings.Cut(p.Value.Reveal(), "-----BEGIN ")
	blockType, rest, ok := strings.Cut(rest, "-----")
	if !begins || !ok || !want.is(blockType) || !strings.Contains(rest, "-----END "+blockType+"-----") {
		return "", fmt.Errorf("this is not %s as PEM, with its -----BEGIN and -----END", want.what)
	}
	return unfolded(p.Value.Reveal()), nil
}

func (c *content) in(data []byte) bool {
	for len(data) > 0 {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			return false
		} else if c.is(block.Type) {
			return true
		}
	}
	return false
}

// isEncrypted: the key in the PEM needs a password, by PKCS#8 or the older way.
func isEncrypted(data []byte) bool {
	return bytes.Contains(data, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----")) ||
		bytes.Contains(data, []byte("Proc-Type: 4,ENCRYPTED"))
}

func (k storeKind) String() string {
	switch k {
	case jksStore:
		return "JKS"
	case pkcs12Store:
		return "PKCS#12"
	case derStore:
		return "DER"
	case pemStore:
		return "PEM"
	}
	return fmt.Sprintf("unknown kind %d", uint8(k))
}

// shellQuoted is s as one word of a shell.
func shellQuoted(s string) string {
	plain := func(r rune) bool {
		return strings.ContainsRune("/._-+,:@%", r) || '0' <= r && r <= '9' || 'a' <= r|0x20 && r|0x20 <= 'z'
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
