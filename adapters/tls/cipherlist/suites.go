package cipherlist

import (
	"crypto/tls"
	"maps"
)

// The suites of crypto/tls up to TLS 1.2 and the words of OpenSSL's cipher
// lists, as masks: a word selects the suites that have one of its bits in each kind in
// which it has any. The bits named other are for algorithms that crypto/tls lacks; no suite
// here has them.

const (
	kxRSA uint8 = 1 << iota
	kxECDHE
	kxOther
)

const (
	authRSA uint8 = 1 << iota
	authECDSA
	authOther
	authNone
)

const (
	encRC4 uint8 = 1 << iota
	enc3DES
	encAES128
	encAES256
	encAES128GCM
	encAES256GCM
	encChaCha20
	encOther
)

const (
	macSHA1 uint8 = 1 << iota
	macSHA256
	macAEAD
	macOther
)

const (
	classLow uint8 = 1 << iota
	classMedium
	classHigh
	classFIPS
)

// since is the version that introduced a suite, which words such as TLSv1 select: it is not
// the highest version.
type since uint8

const (
	sinceSSL3 since = iota + 1
	sinceTLS1
	sinceTLS12
)

type suite struct {
	id    uint16
	name  string // OpenSSL's
	kx    uint8
	auth  uint8
	enc   uint8
	mac   uint8
	class uint8
	since since
	bits  int  // of strength, as OpenSSL counts them
	weak  bool // not in OpenSSL's usual builds, and not in its DEFAULT
}

const high = classHigh | classFIPS

var suites = []suite{
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-ECDSA-AES128-GCM-SHA256", kxECDHE, authECDSA, encAES128GCM,
		macAEAD, high, sinceTLS12, 128, false},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256", kxECDHE, authRSA, encAES128GCM, macAEAD,
		high, sinceTLS12, 128, false},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-ECDSA-AES256-GCM-SHA384", kxECDHE, authECDSA, encAES256GCM,
		macAEAD, high, sinceTLS12, 256, false},
	{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384", kxECDHE, authRSA, encAES256GCM, macAEAD,
		high, sinceTLS12, 256, false},
	{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-ECDSA-CHACHA20-POLY1305", kxECDHE, authECDSA,
		encChaCha20, macAEAD, classHigh, sinceTLS12, 256, false},
	{tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305", kxECDHE, authRSA, encChaCha20,
		macAEAD, classHigh, sinceTLS12, 256, false},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, "ECDHE-ECDSA-AES128-SHA", kxECDHE, authECDSA, encAES128, macSHA1, high,
		sinceTLS1, 128, false},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, "ECDHE-RSA-AES128-SHA", kxECDHE, authRSA, encAES128, macSHA1, high,
		sinceTLS1, 128, false},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, "ECDHE-ECDSA-AES256-SHA", kxECDHE, authECDSA, encAES256, macSHA1, high,
		sinceTLS1, 256, false},
	{tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, "ECDHE-RSA-AES256-SHA", kxECDHE, authRSA, encAES256, macSHA1, high,
		sinceTLS1, 256, false},

	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, "ECDHE-ECDSA-AES128-SHA256", kxECDHE, authECDSA, encAES128, macSHA256,
		high, sinceTLS12, 128, false},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, "ECDHE-RSA-AES128-SHA256", kxECDHE, authRSA, encAES128, macSHA256, high,
		sinceTLS12, 128, false},
	{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, "AES128-GCM-SHA256", kxRSA, authRSA, encAES128GCM, macAEAD, high, sinceTLS12,
		128, false},
	{tls.TLS_RSA_WITH_AES_256_GCM_SHA384, "AES256-GCM-SHA384", kxRSA, authRSA, encAES256GCM, macAEAD, high, sinceTLS12,
		256, false},
	{tls.TLS_RSA_WITH_AES_128_CBC_SHA256, "AES128-SHA256", kxRSA, authRSA, encAES128, macSHA256, high, sinceTLS12, 128,
		false},
	{tls.TLS_RSA_WITH_AES_128_CBC_SHA, "AES128-SHA", kxRSA, authRSA, encAES128, macSHA1, high, sinceSSL3, 128, false},
	{tls.TLS_RSA_WITH_AES_256_CBC_SHA, "AES256-SHA", kxRSA, authRSA, encAES256, macSHA1, high, sinceSSL3, 256, false},

	{tls.TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA, "ECDHE-RSA-DES-CBC3-SHA", kxECDHE, authRSA, enc3DES, macSHA1,
		classMedium | classFIPS, sinceTLS1, 112, true},
	{tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA, "DES-CBC3-SHA", kxRSA, authRSA, enc3DES, macSHA1, classMedium | classFIPS,
		sinceSSL3, 112, true},
	{tls.TLS_ECDHE_ECDSA_WITH_RC4_128_SHA, "ECDHE-ECDSA-RC4-SHA", kxECDHE, authECDSA, encRC4, macSHA1, classMedium,
		sinceTLS1, 128, true},
	{tls.TLS_ECDHE_RSA_WITH_RC4_128_SHA, "ECDHE-RSA-RC4-SHA", kxECDHE, authRSA, encRC4, macSHA1, classMedium, sinceTLS1,
		128, true},
	{tls.TLS_RSA_WITH_RC4_128_SHA, "RC4-SHA", kxRSA, authRSA, encRC4, macSHA1, classMedium, sinceSSL3, 128, true},
}

// allowedAt follows SSL_CTX_set_security_level(3).
func (s *suite) allowedAt(level int) bool {
	least := [...]int{0, 80, 112, 128, 192, 256}[level]
	switch {
	case s.bits < least,
		level >= 2 && s.enc == encRC4,
		level >= 3 && s.kx != kxECDHE, // forward secrecy
		level >= 4 && s.mac == macSHA1:
		return false
	}
	return true
}

// pattern is the selection of a word; zero in a kind selects all.
type pattern struct {
	kx, auth, enc, mac, class uint8
	since                     since
	id                        uint16 // one suite, by name
	onlyWeak                  bool   // COMPLEMENTOFDEFAULT
	weak                      bool   // names an algorithm that is not in the usual builds
	none                      bool   // nothing at all
}

var nothing = pattern{none: true}

// and joins two patterns, in this order: of names OpenSSL remembers the last one
// and only if it is the last word, and a word with a class makes it forget
// COMPLEMENTOFDEFAULT, if no other with a class came before.
func (p pattern) and(q pattern) pattern {
	ok := true
	both := func(a, b uint8) uint8 {
		if a == 0 || b == 0 {
			return a | b
		}
		ok = ok && a&b != 0
		return a & b
	}
	r := pattern{id: q.id, since: max(p.since, q.since), weak: p.weak || q.weak}
	r.kx, r.auth, r.enc, r.mac = both(p.kx, q.kx), both(p.auth, q.auth), both(p.enc, q.enc), both(p.mac, q.mac)
	r.class = both(p.class, q.class)
	r.onlyWeak = q.onlyWeak || p.onlyWeak && (q.class == 0 || p.class != 0)
	if !ok || p.since != 0 && q.since != 0 && p.since != q.since {
		return nothing
	}
	return r
}

func (p *pattern) matches(s *suite) bool {
	has := func(mask, bits uint8) bool { return mask == 0 || mask&bits != 0 }
	return !p.none && (p.id == 0 || p.id == s.id) && (p.since == 0 || p.since == s.since) && (!p.onlyWeak || s.weak) &&
		has(p.kx, s.kx) && has(p.auth, s.auth) && has(p.enc, s.enc) && has(p.mac, s.mac) && has(p.class, s.class)
}

const (
	encAny = 0xff
	encCBC = enc3DES | encAES128 | encAES256 | encOther
)

// words are those of a list: OpenSSL's, and the suites' own names, OpenSSL's and
// IANA's.
var words = func() map[string]pattern {
	all := maps.Clone(aliases)
	for _, s := range suites {
		p := pattern{kx: s.kx, auth: s.auth, enc: s.enc, mac: s.mac, class: s.class, id: s.id, weak: s.weak}
		all[s.name], all[tls.CipherSuiteName(s.id)] = p, p
	}
	return all
}()

var aliases = map[string]pattern{
	"ALL":                 {enc: encAny},
	"COMPLEMENTOFALL":     {enc: encOther},
	"COMPLEMENTOFDEFAULT": {onlyWeak: true},

	"kRSA":   {kx: kxRSA},
	"kECDHE": {kx: kxECDHE}, "kEECDH": {kx: kxECDHE}, "ECDH": {kx: kxECDHE},
	"kDHE": {kx: kxOther}, "kEDH": {kx: kxOther}, "DH": {kx: kxOther},
	"kPSK": {kx: kxOther}, "kRSAPSK": {kx: kxOther}, "kECDHEPSK": {kx: kxOther}, "kDHEPSK": {kx: kxOther},
	"kSRP": {kx: kxOther}, "kGOST": {kx: kxOther}, "kGOST18": {kx: kxOther},
	"PSK": {kx: kxOther}, "SRP": {kx: kxOther},

	"aRSA":   {auth: authRSA},
	"aECDSA": {auth: authECDSA}, "ECDSA": {auth: authECDSA},
	"aDSS": {auth: authOther}, "DSS": {auth: authOther}, "aPSK": {auth: authOther}, "aSRP": {auth: authOther},
	"aGOST01": {auth: authOther}, "aGOST12": {auth: authOther}, "aGOST": {auth: authOther},
	"aNULL": {auth: authNone},

	"RSA":   {kx: kxRSA, auth: authRSA},
	"ECDHE": {kx: kxECDHE, auth: 0xff &^ authNone}, "EECDH": {kx: kxECDHE, auth: 0xff &^ authNone},
	"DHE": {kx: kxOther, auth: 0xff &^ authNone}, "EDH": {kx: kxOther, auth: 0xff &^ authNone},
	"AECDH": {kx: kxECDHE, auth: authNone}, "ADH": {kx: kxOther, auth: authNone},

	"AES128": {enc: encAES128 | encAES128GCM}, "AES256": {enc: encAES256 | encAES256GCM},
	"AES":    {enc: encAES128 | encAES256 | encAES128GCM | encAES256GCM | encOther},
	"AESGCM": {enc: encAES128GCM | encAES256GCM}, "CHACHA20": {enc: encChaCha20}, "CBC": {enc: encCBC},
	"RC4": {enc: encRC4, weak: true}, "3DES": {enc: enc3DES, weak: true},
	"AESCCM": {enc: encOther}, "AESCCM8": {enc: encOther}, "RC2": {enc: encOther}, "IDEA": {enc: encOther},
	"SEED": {enc: encOther},
	"ARIA": {enc: encOther}, "ARIAGCM": {enc: encOther}, "ARIA128": {enc: encOther}, "ARIA256": {enc: encOther},
	"CAMELLIA": {enc: encOther}, "CAMELLIA128": {enc: encOther}, "CAMELLIA256": {enc: encOther},
	"GOST89": {enc: encOther}, "GOST2012-GOST8912-GOST8912": {enc: encOther},
	"eNULL": {enc: encOther}, "NULL": {enc: encOther},

	"SHA": {mac: macSHA1}, "SHA1": {mac: macSHA1}, "SHA256": {mac: macSHA256},
	"SHA384": {mac: macOther}, "MD5": {mac: macOther},
	"GOST94": {mac: macOther}, "GOST89MAC": {mac: macOther}, "GOST12": {mac: macOther},

	"SSLv3": {since: sinceSSL3}, "TLSv1": {since: sinceTLS1}, "TLSv1.0": {since: sinceTLS1},
	"TLSv1.2": {since: sinceTLS12},

	"LOW": {class: classLow}, "MEDIUM": {class: classMedium}, "HIGH": {class: classHigh},
	"FIPS": {enc: encAny, class: classFIPS},
}
