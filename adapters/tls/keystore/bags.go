package keystore

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"

	"brokerconn/adapters/tls/pemkey"
)

// What go-pkcs12 does not show: which certificates of a store with a key are trusted. The
// names are those of RFC 7292, sections 4 and 4.2.

type contentInfo struct {
	ContentType asn1.ObjectIdentifier
	Content     asn1.RawValue `asn1:"tag:0,explicit"`
}

type encryptedData struct {
	Version int
	Info    struct {
		ContentType asn1.ObjectIdentifier
		Algorithm   pkix.AlgorithmIdentifier
		Content     []byte `asn1:"tag:0"`
	}
}

type safeBag struct {
	ID         asn1.ObjectIdentifier
	Value      asn1.RawValue `asn1:"tag:0,explicit"`
	Attributes []struct {
		ID    asn1.ObjectIdentifier
		Value asn1.RawValue `asn1:"set"`
	} `asn1:"set,optional"`
}

type certBag struct {
	ID   asn1.ObjectIdentifier
	Data []byte `asn1:"tag:0,explicit"`
}

const (
	oidEncrypted    = "1.2.840.113549.1.7.6"
	oidKeyBag       = "1.2.840.113549.1.12.10.1.1"
	oidShroudedBag  = "1.2.840.113549.1.12.10.1.2"
	oidCertBag      = "1.2.840.113549.1.12.10.1.3"
	oidLocalKeyID   = "1.2.840.113549.1.9.21"
	oidJavasTrusted = "2.16.840.1.113894.746875.1.1"
)

// attribute returns the value of an attribute, "" without it.
func (b *safeBag) attribute(oid string) string {
	for _, a := range b.Attributes {
		if a.ID.String() == oid {
			return string(a.Value.FullBytes)
		}
	}
	return ""
}

// trusted returns the certificates that Java trusts of a store whose integrity is proved:
// those that it marks as such, and the one of each key.
// They may be such that Go cannot read.
func trusted(file, password []byte) (ders [][]byte, err error) {
	bags, err := safeBags(file, password)
	if err != nil {
		return nil, err
	}
	ofKeys := map[string]bool{}
	for _, b := range bags {
		if id := b.ID.String(); id == oidKeyBag || id == oidShroudedBag {
			ofKeys[b.attribute(oidLocalKeyID)] = true
		}
	}
	for _, b := range bags {
		key := b.attribute(oidLocalKeyID)
		if b.ID.String() != oidCertBag || b.attribute(oidJavasTrusted) == "" && (key == "" || !ofKeys[key]) {
			continue
		}
		var c certBag
		if err := unmarshalAll(b.Value.Bytes, &c); err != nil {
			return nil, err
		}
		ders = append(ders, c.Data)
	}
	return ders, nil
}

// readable returns the key of a store, whose integrity is proved, and those of its
// certificates that Go can read.
func readable(file, password []byte) (found keyEntry, err error) {
	bags, err := safeBags(file, password)
	if err != nil {
		return found, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	for _, b := range bags {
		kind := map[string]string{oidKeyBag: "PRIVATE KEY", oidShroudedBag: "ENCRYPTED PRIVATE KEY"}[b.ID.String()]
		switch {
		case kind != "" && found.key != nil:
			return found, fmt.Errorf("%w: %w", ErrFormat, errKeys)
		case kind != "":
			block := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b.Value.Bytes})
			found.key, err = pemkey.Load(block, func() ([]byte, error) { return password, nil })
			clear(block)
			if err != nil {
				return found, fmt.Errorf("%w: %w", ErrFormat, err)
			}
		case b.ID.String() == oidCertBag:
			var c certBag
			if err := unmarshalAll(b.Value.Bytes, &c); err != nil {
				return found, fmt.Errorf("%w: %w", ErrFormat, err)
			}
			if certificate, err := x509.ParseCertificate(c.Data); err == nil {
				found.certificates = append(found.certificates, certificate)
			}
		}
	}
	if found.key == nil {
		return found, fmt.Errorf("%w: want a private key", ErrEmpty)
	}
	return found, nil
}

func safeBags(file, password []byte) (all []safeBag, err error) {
	parts, _, err := partsOf(file)
	if err != nil {
		return nil, err
	}
	for _, part := range parts {
		var plain []byte
		var sealed encryptedData
		if part.ContentType.String() != oidEncrypted {
			err = unmarshalAll(part.Content.Bytes, &plain)
		} else if err = unmarshalAll(part.Content.Bytes, &sealed); err == nil {
			plain, err = pemkey.Decrypt(sealed.Info.Algorithm, sealed.Info.Content, password)
		}
		var bags []safeBag
		if err == nil {
			err = unmarshalAll(plain, &bags)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, bags...)
	}
	return all, nil
}

func unmarshalAll(der []byte, into any) error {
	rest, err := asn1.Unmarshal(der, into)
	if err == nil && len(rest) > 0 {
		err = errors.New("there are bytes behind its end")
	}
	return err
}
