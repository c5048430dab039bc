package crl

import (
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// OpenSSL treats two distinguished names as equal if they differ only in the kind of
// string, in the case of ASCII letters, and in blanks, which are trimmed and collapsed.
// The name in a list often differs in bytes from the one in the certificates, because
// other software wrote it.

// canonicalName returns the same string for equal names. A malformed name equals only
// itself.
func canonicalName(der []byte) string {
	var rdns []asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &rdns); err != nil || len(rest) > 0 {
		return "unreadable " + string(der)
	}
	parts := make([]string, len(rdns))
	for i, rdn := range rdns {
		var attributes []string
		for rest := rdn.Bytes; len(rest) > 0; {
			var a struct{ Type, Value asn1.RawValue }
			var err error
			if rest, err = asn1.Unmarshal(rest, &a); err != nil {
				return "unreadable " + string(der)
			}
			attributes = append(attributes, fmt.Sprintf("%x=%s", a.Type.FullBytes, canonicalValue(a.Value)))
		}
		slices.Sort(attributes) // an RDN is a set
		parts[i] = strings.Join(attributes, "+")
	}
	return strings.Join(parts, ",")
}

func canonicalValue(v asn1.RawValue) string {
	s, ok := text(v)
	if !ok {
		return fmt.Sprintf("%x", v.FullBytes)
	}
	space := func(r rune) bool { return strings.ContainsRune(" \t\n\v\f\r", r) }
	s = strings.Join(strings.FieldsFunc(s, space), " ")
	return fmt.Sprintf("%q", strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r | 0x20
		}
		return r
	}, s))
}

// widths are the bytes of a character in each kind of string but UTF8String. OpenSSL reads
// VisibleString and UniversalString as well, but crypto/x509 no certificate with them.
var widths = map[int]int{asn1.TagPrintableString: 1, asn1.TagT61String: 1, asn1.TagIA5String: 1, asn1.TagBMPString: 2}

// text decodes a string of any kind that names are compared in. T61String is
// read as Latin-1, as OpenSSL does.
func text(v asn1.RawValue) (s string, ok bool) {
	if v.Class != asn1.ClassUniversal || v.IsCompound {
		return "", false
	}
	if v.Tag == asn1.TagUTF8String {
		return string(v.Bytes), utf8.Valid(v.Bytes)
	}
	width := widths[v.Tag]
	if width == 0 || len(v.Bytes)%width != 0 {
		return "", false
	}
	var b strings.Builder
	for i := 0; i < len(v.Bytes); i += width {
		r := rune(0)
		for _, c := range v.Bytes[i : i+width] {
			r = r<<8 | rune(c)
		}
		if !utf8.ValidRune(r) {
			return "", false
		}
		b.WriteRune(r)
	}
	return b.String(), true
}

func isDirectoryName(v asn1.RawValue) bool {
	return v.Class == asn1.ClassContextSpecific && v.Tag == 4
}
