package pemkey

import "bytes"

// Format is the format of a file of keys or certificates.
type Format uint8

const (
	UnknownFormat Format = iota
	PEM
	JKS    // a Java keystore, also JCEKS
	PKCS12 // DER, of a store
	DER    // any other
)

var formats = [...]string{"unknown format", "PEM", "JKS", "PKCS#12", "DER"}

func (f Format) String() string { return formats[min(int(f), len(formats)-1)] }

// FormatOf returns the format that a file begins with: FEEDFEED for a JKS, CECECECE for a
// JCEKS, a sequence for DER, of which the first member in PKCS#12 is the version 3. PEM may
// have other text before it.
func FormatOf(file []byte) Format {
	switch {
	case bytes.HasPrefix(file, []byte("\xfe\xed\xfe\xed")), bytes.HasPrefix(file, []byte("\xce\xce\xce\xce")):
		return JKS
	case bytes.Contains(file, []byte("-----BEGIN ")):
		return PEM
	case len(file) < 2 || file[0] != 0x30:
		return UnknownFormat
	}
	content := 2
	if file[1] > 0x80 { // a length of several bytes
		content += int(file[1] & 0x7f)
	}
	if len(file) > content && bytes.HasPrefix(file[content:], []byte{2, 1, 3}) {
		return PKCS12
	}
	return DER
}
