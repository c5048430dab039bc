package cipherlist

import (
	"crypto/tls"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"brokerconn/acceptance/openssl"
)

// TestOpenSSLOracle asks openssl for random lists, and compares the sets over the
// suites that both have. Where the two differ, always:
//
//   - RC4 and 3DES, which the usual OpenSSL does not have: they are left out of
//     lists that name them. (An OpenSSL that has them selects them by ALL too.)
//   - IANA's names, which OpenSSL takes from 3.2 on: before, it is given its own.
//   - An operator right behind joined words that stand for nothing here. OpenSSL
//     may know what they stand for, and then carries it out. Here and where the
//     words are unknown to it too it is ignored. The generator separates items.
func TestOpenSSLOracle(t *testing.T) {
	o := openssl.New(t, "Cipher lists are not compared.")
	g := &listGenerator{rnd: rand.New(rand.NewPCG(5, 1))}
	lists := make([]string, 600)
	for i := range lists {
		lists[i] = g.list()
	}
	var found openssl.Tally
	openssl.Each(lists, func(list string) { found.Add(compareList(t, o, list)) })
	found.Report(t, "cipher lists", 550)
}

func compareList(t *testing.T, o *openssl.Oracle, list string) (verdict string) {
	ours, err := Parse(list)
	if (err == nil) != (len(ours) > 0) {
		t.Errorf("%q: %d suites and %v", list, len(ours), err)
	}
	theirs := askOpenSSL(t, o, list, "-s", "-tls1_2")
	named := slices.ContainsFunc(slices.Collect(maps.Keys(words)), func(w string) bool {
		return words[w].weak && strings.Contains(list, w)
	})
	if named || hasWeak(t, o) {
		ours, theirs = slices.DeleteFunc(ours, isWeak), slices.DeleteFunc(theirs, isWeak)
	}
	if !slices.Equal(sorted(ours), sorted(theirs)) {
		t.Errorf("%q:\n got %v (%v)\nwant %v", list, suiteNames(ours), err, suiteNames(theirs))
	}
	if len(list)%3 == 0 { // each costs a process
		compareLevelless(t, o, list)
	}
	switch {
	case err != nil:
		return openssl.Refused + "nothing that can be selected"
	case len(ours) == 0:
		return openssl.Apart + "RC4 and 3DES only"
	case len(ours) == len(suites)-5:
		return "every suite, of 17"
	}
	return fmt.Sprintf("the same %2d to %2d suites", max(1, len(ours)/4*4), min(len(ours)/4*4+3, 17))
}

// compareLevelless: without -s there is no security level.
func compareLevelless(t *testing.T, o *openssl.Oracle, list string) {
	all := &selection{state: make([]suiteState, len(suites))}
	var levelless []uint16
	if all.read(list) == nil {
		all.level = 0
		levelless, _ = all.result()
	}
	levelless = slices.DeleteFunc(levelless, isWeak)
	if theirs := slices.DeleteFunc(askOpenSSL(t, o, list), isWeak); !slices.Equal(sorted(levelless), sorted(theirs)) {
		t.Errorf("%q without a level:\n got %v\nwant %v", list, suiteNames(levelless), suiteNames(theirs))
	}
}

var ianaName = regexp.MustCompile(`TLS_\w+`)

// askOpenSSL returns those suites of OpenSSL's answer that crypto/tls has.
func askOpenSSL(t *testing.T, o *openssl.Oracle, list string, options ...string) (ids []uint16) {
	if !o.AtLeast(3, 2) {
		list = ianaName.ReplaceAllStringFunc(list, func(name string) string {
			for _, s := range suites {
				if tls.CipherSuiteName(s.id) == name {
					return s.name
				}
			}
			return name
		})
	}
	out, _, _ := o.Run(t, slices.Concat([]string{"ciphers"}, options, []string{"--", list})...)
	for name := range strings.SplitSeq(strings.TrimSpace(out), ":") {
		if i := slices.IndexFunc(suites, func(s suite) bool { return s.name == name }); i >= 0 {
			ids = append(ids, suites[i].id)
		}
	}
	return ids
}

var weakOracle sync.Map

func hasWeak(t *testing.T, o *openssl.Oracle) bool {
	has, known := weakOracle.Load(o.Path)
	if !known {
		out, _, _ := o.Run(t, "ciphers", "ALL")
		has, _ = weakOracle.LoadOrStore(o.Path, strings.Contains(out, "DES-CBC3-SHA"))
	}
	return has.(bool)
}

func suiteOf(id uint16) *suite {
	return &suites[slices.IndexFunc(suites, func(s suite) bool { return s.id == id })]
}

func isWeak(id uint16) bool { return suiteOf(id).weak() }

func suiteNames(ids []uint16) (names []string) {
	for _, id := range ids {
		names = append(names, suiteOf(id).name)
	}
	slices.Sort(names)
	return names
}

func sorted(ids []uint16) []uint16 { return slices.Sorted(slices.Values(ids)) }

// listGenerator makes lists from the grammar, and some that are not in it.
type listGenerator struct{ rnd *rand.Rand }

func (g *listGenerator) one(of ...string) string { return of[g.rnd.IntN(len(of))] }
func (g *listGenerator) percent(n int) bool      { return g.rnd.IntN(100) < n }

var allWords = slices.Sorted(maps.Keys(words))

// broad are the words that lists are mostly made of.
var broad = strings.Fields("ALL HIGH AES AES128 AES256 AESGCM CHACHA20 CBC SHA SHA256 ECDHE kEECDH RSA aRSA ECDSA " +
	"TLSv1.2 TLSv1 SSLv3 FIPS")

func (g *listGenerator) word() string {
	switch n := g.rnd.IntN(100); {
	case n < 35:
		return g.one(allWords...)
	case n < 70:
		return g.one(broad...)
	case n < 78: // suites that crypto/tls lacks
		return g.one(strings.Fields("DHE-RSA-AES128-GCM-SHA256 ECDHE-RSA-AES256-SHA384 CAMELLIA128-SHA " +
			"PSK-AES128-CBC-SHA NULL-SHA256 ADH-AES128-SHA ECDHE-ECDSA-AES128-CCM8 AES256-SHA256 DHE-DSS-AES256-SHA " +
			"ECDHE-ARIA128-GCM-SHA256 TLS-AES-128-GCM-SHA256")...)
	case n < 86: // words that are none
		return g.one("FOO", "AES512", "AESGCM8", "TLSv1.1", "TLSv1.3", "EXP", "DES", "kDHr", "DEFAULT",
			"PROFILE=SYSTEM", "AEAD", "aGOST94", "ECDHE-RSA-AES128-GCM", "A", "0", ".", "=", "-SHA")
	}
	return g.one(openSSLNames...)
}

var openSSLNames = strings.Fields("ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 " +
	"ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305 " +
	"ECDHE-RSA-CHACHA20-POLY1305 ECDHE-ECDSA-AES128-SHA ECDHE-RSA-AES128-SHA ECDHE-ECDSA-AES256-SHA " +
	"ECDHE-RSA-AES256-SHA ECDHE-ECDSA-AES128-SHA256 ECDHE-RSA-AES128-SHA256 AES128-GCM-SHA256 AES256-GCM-SHA384 " +
	"AES128-SHA256 AES128-SHA AES256-SHA ECDHE-RSA-DES-CBC3-SHA DES-CBC3-SHA ECDHE-ECDSA-RC4-SHA ECDHE-RSA-RC4-SHA " +
	"RC4-SHA")

func (g *listGenerator) item() string {
	switch n := g.rnd.IntN(100); {
	case n < 4:
		return "@STRENGTH"
	case n < 12:
		return "@SECLEVEL=" + g.one("0", "1", "2", "3", "3", "4", "4", "5")
	case n < 14: // errors
		return g.one("@SECLEVEL=6", "@SECLEVEL=", "@SECLEVEL=22", "@FOO", "@", "-", "+", "!", "AES/SHA", "AES128+",
			"HIGH\t", "*", "!!SHA", "ECDHE++AES", "\"AES\"", "AES128-SHA\xc3\xa9")
	}
	op := g.one("", "", "", "", "", "-", "+", "!", "!")
	words := []string{g.word()}
	for g.percent(35) {
		words = append(words, g.word())
	}
	return op + strings.Join(words, "+")
}

func (g *listGenerator) list() string {
	var b strings.Builder
	switch n := g.rnd.IntN(100); {
	case n < 8:
		b.WriteString(g.one("DEFAULT", "DEFAULT:", "DEFAULT ", "DEFAULT!SHA:", "DEFAULT-AES:", "DEFAULTS:"))
	case n < 11:
		b.WriteString(g.one("SUITEB128", "SUITEB192", "SUITEB128ONLY", "SUITEB128C2", "SUITEB128:", "SUITEB",
			"SUITEB256:"))
	case n < 13:
		return g.one("", " ", ":", ":,; ", "DEFAULT", "+ALL", "-ALL", "!ALL")
	}
	for n := 1 + g.rnd.IntN(4); n > 0; n-- {
		b.WriteString(g.item())
		if n > 1 {
			b.WriteString(g.one(":", ":", ":", ":", ",", ";", " ", ": ", "::"))
		}
	}
	return b.String()
}
