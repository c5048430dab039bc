package properties

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"brokerconn/adapters/tls/pemkey"
)

// Files of certificates and keys are PEM here, or stores where the client of the dialect reads
// them. Other kinds are recognised by their first bytes, and rejected with the commands that
// convert them.

// maxStoreBytes bounds such a file; the authorities of a whole system have a quarter of it.
const maxStoreBytes = 1 << 20

// content is what a file must hold.
type content struct {
	what      string // in words
	blockType string // of its PEM blocks, or the end of that
	// The commands that convert another format, with %s for its name. A file that
	// may be DER has none.
	jks, pkcs12, der string
	// stores are the formats of stores that are read; nil: PEM only. folder: so is a folder.
	stores []pemkey.Format
	folder bool
}

const (
	pkcs12Command   = "keytool -importkeystore -srckeystore %s -destkeystore client.p12 -deststoretype PKCS12"
	keystoreCommand = pkcs12Command + " && openssl pkcs12 -in client.p12 -out client.pem"
)

var (
	authorities = &content{
		what: "certificates", blockType: "CERTIFICATE",
		jks:    "keytool -list -rfc -keystore %s > ca.pem",
		pkcs12: "openssl pkcs12 -nokeys -in %s -out ca.pem",
		der:    "openssl x509 -inform der -in %s -out ca.pem",
	}
	clientChain = &content{
		what: "certificates", blockType: "CERTIFICATE", jks: keystoreCommand,
		pkcs12: "openssl pkcs12 -in %s -out client.pem",
		der:    "openssl x509 -inform der -in %s -out client.pem",
	}
	clientKey = &content{
		what: "a private key", blockType: "PRIVATE KEY", jks: keystoreCommand,
		pkcs12: "openssl pkcs12 -in %s -out client.pem",
		der:    "openssl pkey -inform der -in %s -out client.pem",
	}
	revocations = &content{what: "revocation lists", blockType: "X509 CRL"}

	// Java reads stores of both formats, whichever of the two the type names, librdkafka
	// PKCS#12 and a folder of authorities.
	javaTrust           = authorities.reading(pemkey.JKS, pemkey.PKCS12)
	javaStore           = clientChain.reading(pemkey.JKS, pemkey.PKCS12)
	librdkafkaStore     = clientChain.readingPKCS12()
	authoritiesOrFolder = authorities.orFolder()
)

func (c content) reading(stores ...pemkey.Format) *content { c.stores = stores; return &c }

func (c content) readingPKCS12() *content {
	c.jks = pkcs12Command
	return c.reading(pemkey.PKCS12)
}

func (c content) orFolder() *content { c.folder = true; return &c }

func (c *content) is(blockType string) bool { return strings.HasSuffix(blockType, c.blockType) }

// convert returns the command that converts a file of a format; empty: none is known.
func (c *content) convert(name string, format pemkey.Format) string {
	command := map[pemkey.Format]string{pemkey.JKS: c.jks, pemkey.PKCS12: c.pkcs12, pemkey.DER: c.der}[format]
	return strings.Replace(command, "%s", shellQuoted(name), 1)
}

// inspect reads a file that a key names, and rejects the key if the file does not hold what
// is wanted. It returns the content.
func (r *reader) inspect(p *Property, name string, want *content) []byte {
	if info, err := os.Stat(name); want.folder && err == nil && info.IsDir() {
		return nil // the adapter looks into it
	}
	data := r.open(p, name, "file with "+want.what+" as PEM")
	if data == nil {
		return nil
	}
	return r.inspectData(p, name, data, want)
}

// open reads a file that a key names, and rejects the key if it cannot be read; form
// describes the file. It returns nil then.
func (r *reader) open(p *Property, name, form string) []byte {
	data, err := readBounded(name, maxStoreBytes)
	info, _ := os.Stat(name)
	switch {
	case info != nil && info.IsDir():
		r.reject(p, "%q is a folder: name one %s", name, form)
	case errors.Is(err, fs.ErrNotExist):
		r.reject(p, "there is no file %q: the path of a %s", name, form)
	case err != nil:
		r.reject(p, "%v: a readable %s", err, form)
	default:
		return data
	}
	return nil
}

func (r *reader) inspectData(p *Property, name string, data []byte, want *content) []byte {
	format := pemkey.FormatOf(data)
	if slices.Contains(want.stores, format) {
		return data
	}
	data = withoutMark(data)
	command := want.convert(name, format)
	switch {
	case format == pemkey.DER && command == "":
		return data
	case format == pemkey.DER:
		r.reject(p, "%q is DER, and only PEM is read: convert it: %s", name, command)
	case (format == pemkey.JKS || format == pemkey.PKCS12) && command == "":
		r.reject(p, "%q is a %v store: a file with %s", name, format, want.what)
	case format == pemkey.JKS, format == pemkey.PKCS12:
		read := "only PEM is"
		if len(want.stores) > 0 {
			read = "only PEM and PKCS#12 are"
		}
		r.reject(p, "%q is a %v store, and %s read: convert it: %s", name, format, read, command)
	case len(bytes.TrimSpace(data)) == 0:
		r.reject(p, "%q is empty: a file with %s as PEM", name, want.what)
	case format != pemkey.PEM:
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

// withoutMark returns data without the byte order mark that editors write at the begin of a
// file.
func withoutMark(data []byte) []byte { return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) }

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

// inFile reports whether a file has it, as PEM.
func (c *content) inFile(name string) bool {
	data, _ := readBounded(name, maxStoreBytes) // one that cannot be read has nothing
	return c.in(withoutMark(data))
}

// isEncrypted: the key in the PEM needs a password, by PKCS#8 or the older way.
func isEncrypted(data []byte) bool {
	return bytes.Contains(data, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----")) ||
		bytes.Contains(data, []byte("Proc-Type: 4,ENCRYPTED"))
}

// storeWord returns the type of a store in Java's words.
func storeWord(format pemkey.Format) string { return strings.ReplaceAll(format.String(), "#", "") }

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
