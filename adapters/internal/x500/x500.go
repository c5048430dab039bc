// Package x500 writes distinguished names for people.
package x500

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"brokerconn/adapters/internal/fault"
)

// attributeNames are the attributes in use that crypto/x509/pkix writes as numbers
// (RFC 4514, section 3; RFC 2985, section 5.2.1).
var attributeNames = map[string]string{
	"1.2.840.113549.1.9.1":       "emailAddress",
	"0.9.2342.19200300.100.1.1":  "UID",
	"0.9.2342.19200300.100.1.25": "DC",
}

// Name returns the text of a name in DER in the form of RFC 4514: the common name
// first, and unprintable bytes escaped as in \1B. It returns DER that is not a name in
// hexadecimal, as "#3000".
func Name(der []byte) string {
	var name pkix.RDNSequence
	if rest, err := asn1.Unmarshal(der, &name); err != nil || len(rest) > 0 {
		return fmt.Sprintf("#%x", der)
	}
	var parts []string
	for _, set := range slices.Backward(name) {
		var attributes []string
		for _, a := range set {
			attributes = append(attributes, attribute(a))
		}
		parts = append(parts, strings.Join(attributes, "+"))
	}
	return strings.Join(parts, ",")
}

var commonName = asn1.ObjectIdentifier{2, 5, 4, 3}

func attribute(a pkix.AttributeTypeAndValue) string {
	kind, known := attributeNames[a.Type.String()]
	if _, text := a.Value.(string); known && text {
		a.Type = commonName
		return kind + strings.TrimPrefix(printed(pkix.RDNSequence{{a}}.String()), "CN")
	}
	return printed(pkix.RDNSequence{{a}}.String())
}

// printed escapes unprintable bytes.
func printed(text string) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRuneInString(text)
		if unicode.IsPrint(r) && (r != utf8.RuneError || size > 1) {
			b.WriteString(text[:size])
		} else {
			for i := range size {
				fmt.Fprintf(&b, "\\%02X", text[i])
			}
		}
		text = text[size:]
	}
	return b.String()
}

// maxShort bounds one name in an error, in characters.
const maxShort = 300

// Short returns Name(der), clipped for an error.
func Short(der []byte) string { return fault.Clip(Name(der), maxShort) }

// Quoted returns Short(der) in quotes.
func Quoted(der []byte) string { return `"` + Short(der) + `"` }
