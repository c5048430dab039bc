package pemkey

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"strings"
)

// firstBlock returns the first block with a private key. pem.Decode skips a malformed
// block, and so might return another key than the intended one.
func firstBlock(file []byte) (*pem.Block, error) {
	file = bytes.TrimPrefix(file, []byte("\xef\xbb\xbf")) // a byte order mark, of Windows
	others := 0
	for rest := file; ; others++ {
		block, after := pem.Decode(rest)
		if block == nil {
			after = nil
		}
		begins := beginLines(rest[:len(rest)-len(after)])
		switch {
		case block == nil && len(begins) == 0:
			return nil, noBlock(file, others)
		case block == nil, len(begins) > 1:
			start := len(file) - len(rest) + begins[0]
			line := 1 + bytes.Count(file[:start], []byte("\n"))
			return nil, damaged(fmt.Sprintf("the block that begins in line %d is cut off or damaged", line), nil)
		case isKey(block.Type):
			return block, nil
		}
		rest = after
	}
}

// beginLines returns the offsets in text at which PEM blocks begin.
func beginLines(text []byte) (starts []int) {
	at := 0
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte("-----BEGIN ")) {
			starts = append(starts, at)
		}
		at += len(line)
	}
	return starts
}

func isKey(blockType string) bool {
	return strings.HasSuffix(" "+blockType, " PRIVATE KEY")
}

// noBlock returns the error for a file without a private key in PEM.
func noBlock(file []byte, otherBlocks int) error {
	begins := func(magic string) bool { return bytes.HasPrefix(file, []byte(magic)) }
	format := FormatOf(file)
	switch {
	case otherBlocks > 0:
		return missing(fmt.Sprintf("no private key among the %d PEM blocks", otherBlocks),
			"this may be the file of the certificates")
	case len(bytes.TrimSpace(file)) == 0:
		return missing("no private key: the file is empty", "")
	case format == JKS:
		return unsupported("convert it: keytool -importkeystore -srckeystore old.jks -destkeystore new.p12 "+
			"-deststoretype PKCS12, then openssl pkcs12 -in new.p12 -out new.pem",
			"the file is a Java keystore (JKS), not PEM")
	case format == PKCS12:
		return unsupported("convert it: openssl pkcs12 -in old.p12 -out new.pem", "the file is PKCS#12, not PEM")
	case format == DER:
		return unsupported("convert it: openssl pkey -inform DER -in old.der -out new.pem",
			"the file looks like DER, not PEM")
	case begins("PuTTY-User-Key-File-"):
		return unsupported("convert it: puttygen old.ppk -O private-openssh -o new.pem, then ssh-keygen -p -m PKCS8 "+
			"-f new.pem", "the private key is in PuTTY's format, not PEM")
	case begins("\xff\xfe"), begins("\xfe\xff"):
		return missing("no private key: the file is UTF-16", "save it as plain ASCII")
	case format == PEM:
		return missing("no readable private key: -----BEGIN is not at the start of a line", "")
	}
	return missing("no private key: the file is not PEM",
		"want -----BEGIN PRIVATE KEY----- at the start of a line, and its -----END")
}

func missing(detail, hint string) error {
	return &Error{Problem: Missing, Detail: detail, Hint: hint}
}
