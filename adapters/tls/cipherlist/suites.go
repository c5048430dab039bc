package cipherlist

import (
	"crypto/tls"
	"slices"
	"strings"
)

// The suites of crypto/tls up to TLS 1.2 and the words of OpenSSL's cipher lists, as sets
// of traits of six kinds: a word selects the suites that have one of its traits in each kind
// in which it has any. The traits named other are for algorithms that crypto/tls lacks; no
// suite here has them. A since is the version that introduced a suite, which words such as
// TLSv1 select: it is not the highest version.

type traits uint32

const (
	kxRSA, kxECDHE, kxOther                           traits = 0x1, 0x2, 0x4
	authRSA, authECDSA, authOther, authNone           traits = 0x10, 0x20, 0x40, 0x80
	encRC4, enc3DES, encAES128, encAES256             traits = 0x100, 0x200, 0x400, 0x800
	encAES128GCM, encAES256GCM, encChaCha20, encOther traits = 0x1000, 0x2000, 0x4000, 0x8000
	macSHA1, macSHA256, macAEAD, macOther             traits = 0x10000, 0x20000, 0x40000, 0x80000
	classLow, classMedium, classHigh, classFIPS       traits = 0x100000, 0x200000, 0x400000, 0x800000
	sinceSSL3, sinceTLS1, sinceTLS12                  traits = 0x1000000, 0x2000000, 0x4000000

	kxAny, authAny, encAny, macAny, classAny, sinceAny = 0xf, 0xf0, 0xff00, 0xf0000, 0xf00000, 0xf000000

	high = classHigh | classFIPS
)

var kinds = [...]traits{kxAny, authAny, encAny, macAny, classAny, sinceAny}

type suite struct {
	id     uint16
	name   string // OpenSSL's
	traits traits
	bits   int // of strength, as OpenSSL counts them
}

// weak reports whether the suite is not in OpenSSL's usual builds, and not in its DEFAULT.
func (s *suite) weak() bool { return s.traits&(encRC4|enc3DES) != 0 }

// exchanges and ciphers are the halves of suites, by the halves of IANA's names. A cipher
// that came with TLS 1.2 came after its exchange.
var exchanges, ciphers = map[string]suite{
	"TLS_RSA":         {name: "", traits: kxRSA | authRSA | sinceSSL3},
	"TLS_ECDHE_RSA":   {name: "ECDHE-RSA-", traits: kxECDHE | authRSA | sinceTLS1},
	"TLS_ECDHE_ECDSA": {name: "ECDHE-ECDSA-", traits: kxECDHE | authECDSA | sinceTLS1},
}, map[string]suite{
	"AES_128_GCM_SHA256":       {0, "AES128-GCM-SHA256", encAES128GCM | macAEAD | high | sinceTLS12, 128},
	"AES_256_GCM_SHA384":       {0, "AES256-GCM-SHA384", encAES256GCM | macAEAD | high | sinceTLS12, 256},
	"CHACHA20_POLY1305_SHA256": {0, "CHACHA20-POLY1305", encChaCha20 | macAEAD | classHigh | sinceTLS12, 256},
	"AES_128_CBC_SHA256":       {0, "AES128-SHA256", encAES128 | macSHA256 | high | sinceTLS12, 128},
	"AES_128_CBC_SHA":          {0, "AES128-SHA", encAES128 | macSHA1 | high, 128},
	"AES_256_CBC_SHA":          {0, "AES256-SHA", encAES256 | macSHA1 | high, 256},
	"3DES_EDE_CBC_SHA":         {0, "DES-CBC3-SHA", enc3DES | macSHA1 | classMedium | classFIPS, 112},
	"RC4_128_SHA":              {0, "RC4-SHA", encRC4 | macSHA1 | classMedium, 128},
}

var suites = func() (all []suite) {
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		exchange, cipher, _ := strings.Cut(s.Name, "_WITH_")
		kx, c := exchanges[exchange], ciphers[cipher]
		if kx.traits == 0 || c.traits == 0 {
			continue // of TLS 1.3
		}
		if c.traits&sinceAny != 0 {
			kx.traits &^= sinceAny
		}
		all = append(all, suite{s.ID, kx.name + c.name, kx.traits | c.traits, c.bits})
	}
	return all
}()

// allowedAt follows SSL_CTX_set_security_level(3).
func (s *suite) allowedAt(level int) bool {
	least := [...]int{0, 80, 112, 128, 192, 256}[level]
	switch {
	case s.bits < least,
		level >= 2 && s.traits&encRC4 != 0,
		level >= 3 && s.traits&kxECDHE == 0, // forward secrecy
		level >= 4 && s.traits&macSHA1 != 0:
		return false
	}
	return true
}

// pattern is the selection of a word; no traits of a kind select all.
type pattern struct {
	traits   traits
	id       uint16 // one suite, by name
	onlyWeak bool   // COMPLEMENTOFDEFAULT
	weak     bool   // names an algorithm that is not in the usual builds
	none     bool   // nothing at all
}

var nothing = pattern{none: true}

// and joins two patterns, in this order: of names OpenSSL remembers the last one
// and only if it is the last word, and a word with a class makes it forget
// COMPLEMENTOFDEFAULT, if no other with a class came before.
func (p pattern) and(q pattern) pattern {
	r := pattern{id: q.id, weak: p.weak || q.weak}
	for _, kind := range kinds {
		switch a, b := p.traits&kind, q.traits&kind; {
		case a == 0 || b == 0:
			r.traits |= a | b
		case a&b == 0:
			return nothing
		default:
			r.traits |= a & b
		}
	}
	r.onlyWeak = q.onlyWeak || p.onlyWeak && (q.traits&classAny == 0 || p.traits&classAny != 0)
	return r
}

func (p *pattern) matches(s *suite) bool {
	for _, kind := range kinds {
		if wanted := p.traits & kind; wanted != 0 && wanted&s.traits == 0 {
			return false
		}
	}
	return !p.none && (p.id == 0 || p.id == s.id) && (!p.onlyWeak || s.weak())
}

// words are those of a list: OpenSSL's, and the suites' own names, OpenSSL's and
// IANA's.
var words = func() map[string]pattern {
	all := map[string]pattern{"COMPLEMENTOFDEFAULT": {onlyWeak: true}}
	for traits, names := range aliases {
		for name := range strings.FieldsSeq(names) {
			all[name] = pattern{traits: traits, weak: traits == encRC4 || traits == enc3DES}
		}
	}
	for _, s := range suites {
		p := pattern{traits: s.traits &^ sinceAny, id: s.id, weak: s.weak()}
		all[s.name], all[tls.CipherSuiteName(s.id)] = p, p
	}
	return all
}()

var aliases = map[traits]string{
	kxRSA:   "kRSA",
	kxECDHE: "kECDHE kEECDH ECDH",
	kxOther: "kDHE kEDH DH kPSK kRSAPSK kECDHEPSK kDHEPSK kSRP kGOST kGOST18 PSK SRP",

	authRSA:   "aRSA",
	authECDSA: "aECDSA ECDSA",
	authOther: "aDSS DSS aPSK aSRP aGOST01 aGOST12 aGOST",
	authNone:  "aNULL",

	kxRSA | authRSA:             "RSA",
	kxECDHE | authAny&^authNone: "ECDHE EECDH",
	kxECDHE | authNone:          "AECDH",
	kxOther | authAny&^authNone: "DHE EDH",
	kxOther | authNone:          "ADH",

	encAny:                      "ALL",
	encAES128 | encAES128GCM:    "AES128",
	encAES256 | encAES256GCM:    "AES256",
	encAES128GCM | encAES256GCM: "AESGCM",
	encAES128 | encAES256 | encAES128GCM | encAES256GCM | encOther: "AES",
	encChaCha20: "CHACHA20",
	enc3DES | encAES128 | encAES256 | encOther: "CBC",
	encRC4:  "RC4",
	enc3DES: "3DES",
	encOther: "COMPLEMENTOFALL AESCCM AESCCM8 RC2 IDEA SEED ARIA ARIAGCM ARIA128 ARIA256 CAMELLIA CAMELLIA128 " +
		"CAMELLIA256 GOST89 GOST2012-GOST8912-GOST8912 eNULL NULL",

	macSHA1:   "SHA SHA1",
	macSHA256: "SHA256",
	macOther:  "SHA384 MD5 GOST94 GOST89MAC GOST12",

	sinceSSL3:  "SSLv3",
	sinceTLS1:  "TLSv1 TLSv1.0",
	sinceTLS12: "TLSv1.2",

	classLow:           "LOW",
	classMedium:        "MEDIUM",
	classHigh:          "HIGH",
	encAny | classFIPS: "FIPS",
}
