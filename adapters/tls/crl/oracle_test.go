package crl

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"brokerconn/acceptance/openssl"
)

// TestOpenSSLOracle judges leaves of generated authorities by generated lists, and has
// "openssl verify -crl_check" do the same. What it says last
// counts: it goes on after a list that is not current. Where the two differ,
// always:
//
//   - Lists of changes only (delta) never count here, as in OpenSSL from 3.0.22
//     on. Before, they were taken for whole ones: they are kept from openssl.
//   - At the very second of nextUpdate a list is expired here, as in OpenSSL
//     before 4.0: from there on openssl is not asked about that second.
//   - Signatures with MD5 are refused here, as crypto/x509 does.
//   - Points that are named relative to their issuer, or in other letters, match
//     nothing here.
//   - A list signed with another key of the same name higher up in the
//     chain does not count here: check is given one issuer, not the chain.
//   - A list with an extension twice, or one that cannot be read, is refused here
//     when it is loaded.
//   - Of two entries with the same serial number any may revoke here.
//
// The last five are not generated.
func TestOpenSSLOracle(t *testing.T) {
	o := openssl.New(t, "Verdicts by revocation lists are not compared.")
	w := newWorld()
	g := &crlGenerator{rnd: rand.New(rand.NewPCG(5, 2)), world: w}
	dir := t.TempDir()
	scenarios := make([]*scenario, 500)
	for n := range scenarios {
		scenarios[n] = g.scenario()
		scenarios[n].prefix = filepath.Join(dir, fmt.Sprint(n))
	}
	var found openssl.Tally
	openssl.Each(scenarios, func(s *scenario) {
		for _, verdict := range s.compare(t, o) {
			if verdict != accepted {
				verdict = openssl.Refused + verdict
			}
			found.Add(verdict)
		}
	})
	for code, kind := range verdicts {
		if found.Count(openssl.Refused+kind.Error()) == 0 {
			t.Errorf("no verdict %d (%v)", code, kind)
		}
	}
	found.Report(t, "revocation", 1500)
}

const accepted = "not revoked"

// verdicts by OpenSSL's numbers.
var verdicts = map[int]error{
	3: ErrMissing, 8: ErrSignature, 11: ErrNotYetValid, 12: ErrExpired, 23: ErrRevoked,
	35: ErrSigner, 36: ErrExtension, 44: ErrScope,
}

func verdictOf(err error) string {
	if err == nil {
		return accepted
	}
	for _, kind := range verdicts {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	return err.Error()
}

// world is the authorities, which are made once, and their leaves.
type world struct {
	all       []*issuerOfLeaves
	strangers []*authority
}

type issuerOfLeaves struct {
	*authority
	what   string
	twin   *authority // same name, other key
	leaves []*leafCase
}

type leafCase struct {
	what string
	cert *x509.Certificate
}

var uriA, uriB = uri("http://a.test/crl"), uri("http://b.test/crl")

func newWorld() *world {
	w := new(world)
	const full = bothUsages
	root := newAuthority(nil, simpleName("Root"), ecKey(), full)
	w.strangers = []*authority{newAuthority(nil, simpleName("Stranger"), ecKey(), full),
		newAuthority(nil, simpleName("Root"), ecKey(), full)}
	add := func(what string, parent *authority, name []byte, key func() crypto.Signer, usage x509.KeyUsage) {
		i := &issuerOfLeaves{what: what, twin: newAuthority(parent, name, ecKey(), full)}
		i.authority = newAuthority(parent, name, key(), usage)
		i.addLeaves()
		w.all = append(w.all, i)
	}
	add("root", nil, simpleName("Issuing Root"), ecKey, full)
	add("intermediate", root, simpleName("Intermediate"), ecKey, full)
	second := newAuthority(root, simpleName("Second"), ecKey(), full)
	add("deep intermediate", second, simpleName("Third"), ed25519Key, full)
	add("RSA root", nil, rawName(str(asn1.TagPrintableString, "RSA Root"),
		str(asn1.TagPrintableString, "Example  Inc")), rsaKey, full)
	add("no cRLSign", root, simpleName("No Signer"), ecKey, x509.KeyUsageCertSign)
	add("no key usage", root, simpleName("Any Usage"), ecKey, noKeyUsage)
	return w
}

func (i *issuerOfLeaves) addLeaves() {
	add := func(what string, change func(*x509.Certificate)) {
		i.leaves = append(i.leaves, &leafCase{what, newLeaf(i.authority, change)})
	}
	add("plain", nil)
	add("listed", nil)
	add("large serial", func(c *x509.Certificate) { c.SerialNumber = new(big.Int).Lsh(big.NewInt(0xfedc), 140) })
	add("an authority", func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true })
	add("no AKI", func(c *x509.Certificate) { c.AuthorityKeyId = nil })
	with := func(what string, p ...point) {
		add(what, func(c *x509.Certificate) { c.ExtraExtensions = append(c.ExtraExtensions, points(p...)) })
	}
	own, other := []asn1.RawValue{directoryName(i.cert.RawSubject)},
		[]asn1.RawValue{directoryName(simpleName("Stranger"))}
	with("point A", point{Name: at(uriA)})
	with("points A, B", point{Name: at(uriA)}, point{Name: at(uriB)})
	with("point A or B", point{Name: at(uriA, uriB)})
	with("point A for compromise", point{Name: at(uriA), Reasons: reasonFlags(1, 2)})
	with("point A for compromise, B for the rest", point{Name: at(uriA), Reasons: reasonFlags(1, 2)},
		point{Name: at(uriB), Reasons: reasonFlags(3, 4, 5, 6, 7, 8)})
	with("point A of the issuer", point{Name: at(uriA), Issuer: own})
	with("point A of another issuer", point{Name: at(uriA), Issuer: other})
	with("point in a directory", point{Name: at(directoryName(simpleName("the point")))})
	with("no name, own issuer", point{Issuer: own})
}

// scenario is a file of lists, and who is judged by it when.
type scenario struct {
	issuer *issuerOfLeaves
	leaves []*leafCase
	lists  []*list
	notes  []string // of each list, what is particular
	deltas []bool
	der    bool
	now    time.Time
	prefix string // of the files for openssl
}

func (s *scenario) String() string {
	leaves := make([]string, len(s.leaves))
	for i, l := range s.leaves {
		leaves[i] = l.what
	}
	return fmt.Sprintf("issuer: %s; leaves: %s; at %s\nlists:\n  %s", s.issuer.what, strings.Join(leaves, ", "),
		s.now.Format(time.RFC3339), strings.Join(s.notes, "\n  "))
}

type crlGenerator struct {
	rnd   *rand.Rand
	world *world
}

func (g *crlGenerator) percent(n int) bool { return g.rnd.IntN(100) < n }

func pickOne[T any](g *crlGenerator, of ...T) T { return of[g.rnd.IntN(len(of))] }

func (g *crlGenerator) scenario() *scenario {
	s := &scenario{issuer: g.world.all[min(g.rnd.IntN(len(g.world.all)+2), len(g.world.all)+1)%len(g.world.all)],
		now: epoch, der: g.percent(10)}
	if s.issuer.what == "no cRLSign" && g.percent(60) {
		s.issuer = g.world.all[0]
	}
	s.leaves = append(s.leaves, s.issuer.leaves[0], s.issuer.leaves[1])
	for range 2 {
		s.leaves = append(s.leaves, pickOne(g, s.issuer.leaves[2:]...))
	}
	if s.leaves[2] == s.leaves[3] {
		s.leaves = s.leaves[:3]
	}
	n := pickOne(g, 1, 1, 1, 2, 2, 3)
	if s.der {
		n = 1
	}
	for range n {
		s.add(g)
	}
	return s
}

// add adds a list, which is often in order and often is not in one respect.
func (s *scenario) add(g *crlGenerator) {
	day := 24 * time.Hour
	l := &list{signer: s.issuer.authority, thisUpdate: epoch.Add(-day * time.Duration(1+g.rnd.IntN(5))),
		nextUpdate: epoch.Add(day)}
	notes := []string{"issued " + l.thisUpdate.Format(time.DateOnly)}
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	extend := func(what string, x pkix.Extension) { note("%s", what); l.extensions = append(l.extensions, x) }

	for _, leaf := range s.leaves[1:] {
		if !g.percent(35) && leaf != s.leaves[1] || g.percent(20) {
			continue
		}
		e := entry{serial: leaf.cert.SerialNumber, at: epoch.Add(-time.Hour)}
		note("lists %s", leaf.what)
		if g.percent(40) {
			r := pickOne(g, reason(1), 4, 6, removeFromCRL, removeFromCRL, 10)
			e.extensions = append(e.extensions, reasonOf(r, g.percent(10)))
			note("for %v, critical %v", r, e.extensions[0].Critical)
		}
		if g.percent(8) {
			name := pickOne(g, s.issuer.cert.RawSubject, simpleName("Stranger"))
			e.extensions = append(e.extensions, extension(oidCertificateIssuer, true,
				[]asn1.RawValue{directoryName(name)}))
			note("of issuer %x", name[len(name)-5:])
		}
		l.entries = append(l.entries, e)
	}
	for range g.rnd.IntN(3) {
		l.entries = append(l.entries, entry{serial: big.NewInt(int64(1 + g.rnd.IntN(1000))), at: epoch})
	}
	g.rnd.Shuffle(len(l.entries), func(i, j int) { l.entries[i], l.entries[j] = l.entries[j], l.entries[i] })

	l.extensions = append(l.extensions, numbered(7))
	switch n := g.rnd.IntN(100); {
	case n < 50:
		l.extensions = append(l.extensions, keyIDOf(s.issuer.authority))
	case n < 60:
		extend("with AKI of the twin", keyIDOf(s.issuer.twin))
	case n < 65:
		extend("with AKI by serial number", serialOf(s.issuer.cert.SerialNumber, s.issuer.cert.RawIssuer))
	case n < 68:
		extend("with AKI by another serial number", serialOf(big.NewInt(1), s.issuer.cert.RawIssuer))
	case n < 71:
		extend("with AKI by another issuer", serialOf(s.issuer.cert.SerialNumber, simpleName("Stranger")))
	}
	delta := false
	switch g.rnd.IntN(24) {
	case 0, 1:
		l.nextUpdate = epoch.Add(-time.Hour)
		note("expired")
	case 2:
		l.thisUpdate, l.nextUpdate = epoch.Add(time.Hour), epoch.Add(day)
		note("not yet valid")
	case 3:
		l.nextUpdate = time.Time{}
		note("no nextUpdate")
	case 4:
		l.signer, l.issuer = pickOne(g, s.issuer.twin, g.world.strangers[0]), s.issuer.cert.RawSubject
		note("signed by another key")
	case 5:
		l.tampered = true
		note("tampered")
	case 6:
		l.signer = g.world.strangers[0]
		note("of a stranger")
	case 7:
		l.version1 = true
		note("version 1")
	case 8:
		extend("critical unknown", extension(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, true, 1))
	case 9:
		l.extensions[0].Critical = true
		note("critical number")
	case 10:
		l.extensions, delta = append(l.extensions, extension(oidDelta, true, big.NewInt(3))), true
		note("delta")
	case 11:
		l.nextUpdate = s.now
		note("nextUpdate now")
	case 12:
		l.thisUpdate = s.now
		note("thisUpdate now")
	case 13:
		l.how = "sha1"
		note("SHA-1")
	case 14:
		l.how = "pss"
		note("PSS, if RSA")
	case 15:
		l.issuer = variant(s.issuer.cert.RawSubject)
		note("name in other letters")
	case 16, 17, 18, 19:
		p := pickOne(g,
			issuingPoint{Point: at(uriA)}, issuingPoint{Point: at(uriA)}, issuingPoint{Point: at(uriB)},
			issuingPoint{Point: at(uriB, uriA)},
			issuingPoint{OnlyUser: true}, issuingPoint{OnlyAuthorities: true}, issuingPoint{OnlyAttributes: true},
			issuingPoint{OnlyUser: true, OnlyAuthorities: true}, issuingPoint{Indirect: true},
			issuingPoint{OnlyReasons: reasonFlags(1, 2)},
			issuingPoint{OnlyUser: true, Point: at(uriA)}, issuingPoint{},
			issuingPoint{Point: at(directoryName(simpleName("the point")))})
		x := issuing(p)
		x.Critical = g.percent(80)
		l.extensions = append(l.extensions, x)
		note("point %+v", p)
	}
	s.lists, s.notes, s.deltas = append(s.lists, l), append(s.notes, strings.Join(notes, ", ")), append(s.deltas, delta)
}

// variant is the same name in other strings: other letters, blanks and kinds.
func variant(name []byte) []byte {
	var rdns []pkix.RelativeDistinguishedNameSET
	if _, err := asn1.Unmarshal(name, &rdns); err != nil {
		panic(err)
	}
	var values []asn1.RawValue
	for i, rdn := range rdns {
		s := "  " + strings.ReplaceAll(strings.ToUpper(rdn[0].Value.(string)), " ", "   ") + " "
		v := str(asn1.TagPrintableString, s)
		if i == 0 {
			v = str(asn1.TagBMPString, "")
			for _, c := range []byte(s) {
				v.Bytes = append(v.Bytes, 0, c)
			}
		}
		values = append(values, v)
	}
	return rawName(values...)
}

// compare returns the verdicts on the leaves.
func (s *scenario) compare(t *testing.T, o *openssl.Oracle) (said []string) {
	if o.AtLeast(4, 0) && slices.ContainsFunc(s.lists, func(l *list) bool { return l.nextUpdate.Equal(s.now) }) {
		return nil
	}
	var ours, theirs [][]byte
	for i, l := range s.lists {
		der := l.der()
		ours = append(ours, der)
		if !s.deltas[i] {
			theirs = append(theirs, der)
		}
	}
	data := pemOf(pemType, ours...)
	if s.der {
		data = ours[0]
	}
	r, err := Parse(data)
	if err != nil {
		t.Errorf("not loaded: %v\n%s", err, s)
		return nil
	}
	said = s.verify(t, o, theirs)
	for i, leaf := range s.leaves {
		err := r.Check(leaf.cert, s.issuer.cert, s.now)
		if got := verdictOf(err); got != said[i] {
			t.Errorf("%s: %v, and openssl says %s\n%s", leaf.what, err, said[i], s)
		}
	}
	return said
}

var errorLine = regexp.MustCompile(`^error (\d+) at 0 depth lookup: (.*)$`)

// verify asks openssl for the verdicts on all leaves at once.
func (s *scenario) verify(t *testing.T, o *openssl.Oracle, lists [][]byte) (said []string) {
	write := func(suffix string, data []byte) string {
		if err := os.WriteFile(s.prefix+suffix, data, 0o600); err != nil {
			t.Error(err)
		}
		return s.prefix + suffix
	}
	var untrusted [][]byte
	top := s.issuer.authority
	for ; top.parent != nil; top = top.parent {
		untrusted = append(untrusted, top.cert.Raw)
	}
	args := []string{"verify", "-crl_check", "-attime", strconv.FormatInt(s.now.Unix(), 10),
		"-CAfile", write(".ca", pemOf("CERTIFICATE", top.cert.Raw)), "-no-CApath", "-no-CAstore"}
	if untrusted != nil {
		args = append(args, "-untrusted", write(".chain", pemOf("CERTIFICATE", untrusted...)))
	}
	if len(lists) > 0 {
		data := pemOf(pemType, lists...)
		if s.der {
			data = lists[0]
		}
		args = append(args, "-CRLfile", write(".crl", data))
	}
	var files []string
	for i, leaf := range s.leaves {
		files = append(files, write(fmt.Sprintf(".leaf%d", i), pemOf("CERTIFICATE", leaf.cert.Raw)))
	}
	stdout, stderr, _ := o.Run(t, append(args, files...)...)
	failed := make(map[string]string)
	last := ""
	for line := range strings.Lines(stderr) {
		line = strings.TrimSpace(line)
		if m := errorLine.FindStringSubmatch(line); m != nil {
			code, _ := strconv.Atoi(m[1])
			if last = m[2]; verdicts[code] != nil {
				last = verdicts[code].Error()
			}
		} else if file, ok := strings.CutPrefix(line, "error "); ok &&
			strings.HasSuffix(file, ": verification failed") {
			failed[strings.TrimSuffix(file, ": verification failed")] = last
		}
	}
	for _, file := range files {
		switch verdict, bad := failed[file]; {
		case bad:
			said = append(said, verdict)
		case strings.Contains(stdout, file+": OK\n"):
			said = append(said, accepted)
		default:
			t.Errorf("openssl says neither of %s:\n%s%s", file, stdout, stderr)
			said = append(said, "nothing")
		}
	}
	return said
}
