package crl

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const bothUsages = x509.KeyUsageCertSign | x509.KeyUsageCRLSign

// good is a list of the issuer that is current and revokes what is given.
func good(issuer *authority, revoked ...*x509.Certificate) *list {
	l := &list{signer: issuer, thisUpdate: epoch.Add(-time.Hour), nextUpdate: epoch.Add(time.Hour),
		extensions: []pkix.Extension{numbered(1), keyIDOf(issuer)}}
	for _, c := range revoked {
		l.entries = append(l.entries, entry{serial: c.SerialNumber, at: epoch.Add(-time.Minute),
			extensions: []pkix.Extension{reasonOf(1, false)}})
	}
	return l
}

func (l *list) with(change func(*list)) *list {
	change(l)
	return l
}

// TestCheck holds what was found of OpenSSL, case by case, and what is
// particular here.
func TestCheck(t *testing.T) {
	root := newAuthority(nil, simpleName("Root"), ecKey(), bothUsages)
	issuer := newAuthority(root, simpleName("Issuer"), ecKey(), bothUsages)
	twin := newAuthority(root, simpleName("Issuer"), ecKey(), bothUsages)
	leaf := newLeaf(issuer, nil)
	other := newLeaf(issuer, nil)
	expired := func(l *list) { l.thisUpdate, l.nextUpdate = epoch.Add(-2*time.Hour), epoch.Add(-time.Hour) }
	issued := func(after time.Duration) func(*list) { return func(l *list) { l.thisUpdate = epoch.Add(after) } }
	until := func(at time.Time) func(*list) { return func(l *list) { l.nextUpdate = at } }
	justExpired := func(l *list) { l.thisUpdate, l.nextUpdate = epoch.Add(-time.Minute), epoch.Add(-time.Second) }
	tampered, version1 := func(l *list) { l.tampered = true }, func(l *list) { l.version1 = true }
	byTwin := func(l *list) { l.signer, l.issuer = twin, issuer.cert.RawSubject }
	otherLetters := func(l *list) { l.issuer = variant(issuer.cert.RawSubject) }
	criticalEntry := func(l *list) { l.entries[0].extensions[0].Critical = true }
	reasoned := func(r reason) func(*list) {
		return func(l *list) { l.entries[0].extensions = []pkix.Extension{reasonOf(r, false)} }
	}
	extended := func(x pkix.Extension) func(*list) {
		return func(l *list) { l.extensions = append(l.extensions, x) }
	}
	unknown := func(critical bool) func(*list) {
		return extended(extension(asn1.ObjectIdentifier{1, 2, 3}, critical, 1))
	}
	covering := func(p issuingPoint) func(*list) { return extended(issuing(p)) }
	delta := func(l *list) {
		extended(extension(oidDelta, true, big.NewInt(1)))(l)
		l.thisUpdate = epoch.Add(-time.Minute)
	}
	one := func(revoked []*x509.Certificate, changes ...func(*list)) []*list {
		l := good(issuer, revoked...)
		for _, change := range changes {
			change(l)
		}
		return []*list{l}
	}
	none, it, twice := []*x509.Certificate(nil), []*x509.Certificate{leaf}, []*x509.Certificate{leaf, leaf}
	another, both := []*x509.Certificate{other}, []*x509.Certificate{other, leaf}
	two := func(first, second []*list) []*list { return append(first, second...) }
	for name, c := range map[string]struct {
		lists []*list
		want  error
		says  string
	}{
		"only the leaf's issuer needs a list": {one(another), nil, ""},
		"the root's list does not do": {[]*list{good(root)}, ErrMissing,
			"unable to get certificate CRL: none of CN=Issuer"},
		"revoked": {one(both), ErrRevoked, "on 2026-06-01T11:59:00Z, reason keyCompromise"},
		"expired, though the leaf is good": {one(none, expired), ErrExpired,
			"CRL has expired: that of CN=Issuer, issued on 2026-06-01T10:00:00Z, to be followed by " +
				"2026-06-01T11:00:00Z; now is 2026-06-01T12:00:00Z"},
		"revoked wins over expired": {one(it, expired), ErrRevoked, ""},
		"not yet valid": {one(none, issued(time.Minute)), ErrNotYetValid,
			"issued on 2026-06-01T12:01:00Z"},
		"revoked wins over not yet valid": {one(it, issued(time.Minute)), ErrRevoked, ""},
		"no nextUpdate":                   {one(none, until(time.Time{})), nil, ""},
		"at thisUpdate":                   {one(none, issued(0)), nil, ""},
		"at nextUpdate":                   {one(none, until(epoch)), ErrExpired, ""},

		"tampered":                      {one(none, tampered), ErrSignature, "that of CN=Issuer"},
		"tampered wins over expired":    {one(none, tampered, expired), ErrSignature, ""},
		"signed by another":             {one(it, byTwin), ErrSignature, ""},
		"of another key of the name":    {[]*list{good(twin, leaf)}, ErrMissing, "it is of another key of that name"},
		"of both keys of the name":      {[]*list{good(twin, leaf), good(issuer)}, nil, ""},
		"name in other letters":         {one(it, otherLetters), ErrRevoked, ""},
		"version 1":                     {one(another, version1), nil, ""},
		"version 1, revoked":            {one(it, version1), ErrRevoked, "reason unspecified"},
		"version 1, tampered":           {one(none, version1, tampered), ErrSignature, ""},
		"on hold":                       {one(it, reasoned(6)), ErrRevoked, "reason certificateHold"},
		"removed":                       {one(it, reasoned(removeFromCRL)), nil, ""},
		"removed and listed again":      {one(twice, reasoned(removeFromCRL)), ErrRevoked, ""},
		"a later list without the leaf": {two(one(it), one(none, issued(-time.Minute))), nil, ""},
		"an earlier list without it":    {two(one(it), one(none, issued(-3*time.Hour))), ErrRevoked, ""},
		"an expired later list":         {two(one(none), one(it, justExpired)), nil, ""},
		"a delta never counts":          {one(it, delta), ErrMissing, "it has changes only (delta)"},
		"a later delta is passed over":  {two(one(none), one(it, delta)), nil, ""},

		"critical and unknown":           {one(none, unknown(true)), ErrExtension, ""},
		"critical even where it revokes": {one(it, unknown(true)), ErrExtension, ""},
		"unknown but not critical":       {one(none, unknown(false)), nil, ""},
		"an entry with what is critical": {one(another, criticalEntry), ErrExtension, ""},
		"for users only":                 {one(none, covering(issuingPoint{OnlyUser: true})), nil, ""},
		"for authorities only": {one(it, covering(issuingPoint{OnlyAuthorities: true})), ErrScope,
			"that of CN=Issuer is not for this certificate"},
		"for another point": {one(none, covering(issuingPoint{Point: at(uriA)})), ErrScope, ""},
		"indirect": {one(none, covering(issuingPoint{Indirect: true})), ErrMissing,
			"certificates of other issuers (indirect)"},
		"for some reasons": {one(none, covering(issuingPoint{OnlyReasons: reasonFlags(1)})), ErrMissing,
			"for some reasons of revocation only"},
		"contradictory": {one(none, covering(issuingPoint{OnlyUser: true, OnlyAuthorities: true})), ErrMissing,
			"contradicts itself"},
	} {
		t.Run(name, func(t *testing.T) {
			r := load(t, c.lists...)
			err := r.Check(leaf, issuer.cert, epoch)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v\nlacks %q", err, c.says)
			}
		})
	}
}

// A list that does not say when the next one follows counts until MaxAge has passed since it
// was issued; RFC 5280, section 5.1.2.5, requires nextUpdate. One that says so is not
// bounded, and a list that has expired still revokes.
func TestMaxAge(t *testing.T) {
	issuer := newAuthority(nil, simpleName("Issuer"), ecKey(), bothUsages)
	leaf := newLeaf(issuer, nil)
	aged := func(l *list) { l.thisUpdate, l.nextUpdate = epoch.Add(-time.Hour), time.Time{} }
	early := func(l *list) { l.thisUpdate, l.nextUpdate = epoch.Add(time.Hour), time.Time{} }
	for name, c := range map[string]struct {
		list   *list
		maxAge time.Duration
		want   error
	}{
		"no limit":              {good(issuer).with(aged), 0, nil},
		"a negative limit":      {good(issuer).with(aged), -1, nil},
		"younger":               {good(issuer).with(aged), time.Hour + time.Second, nil},
		"just as old":           {good(issuer).with(aged), time.Hour, ErrExpired},
		"older":                 {good(issuer).with(aged), time.Minute, ErrExpired},
		"older, and it revokes": {good(issuer, leaf).with(aged), time.Minute, ErrRevoked},
		"it names the next":     {good(issuer), time.Minute, nil},
		"not valid yet":         {good(issuer).with(early), -1, ErrNotYetValid},
	} {
		lists := load(t, c.list)
		lists.MaxAge = c.maxAge
		err := lists.Check(leaf, issuer.cert, epoch)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		want := "to be followed at no set time, and valid for"
		if c.want == ErrExpired && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
		if want = "to be followed at no set time;"; c.want == ErrNotYetValid && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}

func load(t *testing.T, lists ...*list) *Lists {
	t.Helper()
	var ders [][]byte
	for _, l := range lists {
		ders = append(ders, l.der())
	}
	return must(Parse(pemOf(pemType, ders...)))
}

// TestCheckOfIssuers is about issuers rather than lists.
func TestCheckOfIssuers(t *testing.T) {
	silent := newAuthority(nil, simpleName("Silent"), ecKey(), x509.KeyUsageCertSign)
	silentLeaf := newLeaf(silent, nil)
	if err := load(t, good(silent, silentLeaf)).Check(silentLeaf, silent.cert, epoch); !errors.Is(err, ErrSigner) {
		t.Errorf("issuer without cRLSign: %v", err)
	}
	root := newAuthority(nil, simpleName("Root"), ecKey(), bothUsages)
	unrelated := load(t, good(silent))
	// One that only says that it is self-signed is looked up.
	namesake := newLeaf(root, func(c *x509.Certificate) { c.RawSubject = root.cert.RawSubject })
	for name, c := range map[string]struct {
		leaf, issuer *x509.Certificate
		want         error
	}{
		"self-signed":         {root.cert, root.cert, nil},
		"self-signed, alone":  {root.cert, nil, nil},
		"named as its issuer": {namesake, root.cert, ErrMissing},
		"without its issuer":  {newLeaf(root, nil), nil, ErrMissing},
	} {
		if err := unrelated.Check(c.leaf, c.issuer, epoch); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

// TestSignatureIsCheckedOnce: a list of a large authority has tens of MiB, which are
// not to be hashed at every handshake. Each key of the name has a verdict of its own.
func TestSignatureIsCheckedOnce(t *testing.T) {
	issuer := newAuthority(nil, simpleName("Issuer"), ecKey(), bothUsages)
	twin := newAuthority(nil, simpleName("Issuer"), ecKey(), bothUsages)
	leaf := newLeaf(issuer, nil)
	r := load(t, good(issuer).with(func(l *list) { l.extensions = l.extensions[:1] }))
	var c *crl
	for _, lists := range r.byIssuer {
		c = lists[0]
	}
	for range 2 {
		if err := r.Check(leaf, issuer.cert, epoch); err != nil {
			t.Fatal(err)
		}
		if err := r.Check(leaf, twin.cert, epoch); !errors.Is(err, ErrSignature) {
			t.Errorf("signed by another key: %v", err)
		}
	}
	if err := r.Check(leaf, issuer.cert, epoch); err != nil {
		t.Fatal(err)
	}
	c.signed[len(c.signed)-1] ^= 1
	if err := r.Check(leaf, issuer.cert, epoch); err != nil {
		t.Errorf("it was checked again: %v", err)
	}
}

// The names of two points are the same byte for byte, also those in a directory.
func TestPointsByTheirBytes(t *testing.T) {
	issuer := newAuthority(nil, simpleName("Issuer"), ecKey(), bothUsages)
	leaf := newLeaf(issuer, func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{points(point{Name: at(directoryName(simpleName("the point")))})}
	})
	for name, want := range map[string]error{"the point": nil, "The Point": ErrScope} {
		r := load(t, good(issuer).with(func(l *list) {
			l.extensions = append(l.extensions, issuing(issuingPoint{Point: at(directoryName(simpleName(name)))}))
		}))
		if err := r.Check(leaf, issuer.cert, epoch); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%q: got %v, want %v", name, err, want)
		}
	}
}

// The error has the time and the reason of the revocation.
func TestRevokedError(t *testing.T) {
	issuer := newAuthority(nil, simpleName("Issuer"), ecKey(), bothUsages)
	leaf := newLeaf(issuer, nil)
	err := load(t, good(issuer, leaf)).Check(leaf, issuer.cert, epoch)
	want := fmt.Sprintf("certificate revoked: serial number %x, on 2026-06-01T11:59:00Z, reason keyCompromise",
		leaf.SerialNumber)
	if !errors.Is(err, ErrRevoked) || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	for r, want := range map[reason]string{0: "unspecified", 6: "certificateHold", 10: "aACompromise", 11: "11",
		-1: "-1"} {
		if r.String() != want {
			t.Errorf("reason %d is called %s", int(r), r)
		}
	}
}

func TestParse(t *testing.T) {
	a := newAuthority(nil, simpleName("A"), ecKey(), bothUsages)
	b := newAuthority(nil, simpleName("B"), ecKey(), bothUsages)
	listA, listB := good(a).der(), good(b).der()
	pemA, pemB, pemCert := pemOf(pemType, listA), pemOf(pemType, listB), pemOf("CERTIFICATE", a.cert.Raw)
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	doubled := good(a).with(func(l *list) { l.extensions = append(l.extensions, keyIDOf(a)) }).der()
	badPoint := good(a).with(func(l *list) {
		l.extensions = append(l.extensions, pkix.Extension{Id: oidIssuingPoint, Value: []byte{0x30, 0x80}})
	}).der()
	leaf := newLeaf(a, nil)
	twoReasons := good(a, leaf).with(func(l *list) {
		l.entries[0].extensions = []pkix.Extension{reasonOf(removeFromCRL, false), reasonOf(1, false)}
	}).der()
	badIssuer := good(a, leaf).with(func(l *list) {
		l.entries[0].extensions = []pkix.Extension{{Id: oidCertificateIssuer, Value: []byte{1}}}
	}).der()
	for name, c := range map[string]struct {
		data   []byte
		issuer []*authority
		err    string
	}{
		"PEM":         {pemA, []*authority{a}, ""},
		"several PEM": {join(pemA, pemB), []*authority{a, b}, ""},
		"among others, with words": {join([]byte("These are\n"), pemCert, pemA, []byte("\r\n"), pemCert, pemB),
			[]*authority{a, b}, ""},
		"DER":                {listA, []*authority{a}, ""},
		"several DER":        {join(listA, listB), []*authority{a, b}, ""},
		"DER and a line end": {join(listA, []byte("\r\n")), []*authority{a}, ""},

		"empty": {nil, nil, "no revocation list: the file is empty"},
		"blank": {[]byte("\n \n"), nil, "no revocation list: the file is empty"},
		"text":  {[]byte("hello"), nil, "no revocation list: neither PEM nor DER"},
		"certificates": {join(pemCert, pemCert), nil,
			"no revocation list (PEM block X509 CRL): the first block is a CERTIFICATE"},
		"a certificate in DER": {a.cert.Raw, nil, "revocation list 1 of 1: "},
		"cut":                  {listA[:len(listA)-1], nil, "neither PEM nor DER"},
		"second is cut":        {join(listA, listB[:40]), nil, "neither PEM nor DER"},
		"one of two is damaged": {join(pemA, bytes.Replace(pemB, []byte("\nM"), []byte("\n*"), 1)), nil,
			"1 of 2 PEM blocks of revocation lists are damaged"},
		"one has no end": {join(pemA, pemB[:len(pemB)/2]), nil,
			"1 of 2 PEM blocks of revocation lists are damaged"},
		"not a list in PEM":  {join(pemA, pemOf(pemType, a.cert.Raw)), nil, "revocation list 2 of 2: "},
		"not DER in PEM":     {pemOf(pemType, []byte("hello")), nil, "it is not DER"},
		"an integer in PEM":  {pemOf(pemType, []byte{2, 1, 1}), nil, "it is not a revocation list"},
		"an extension twice": {pemOf(pemType, doubled), nil, "extension 2.5.29.35: it is there twice"},
		"a bad extension":    {badPoint, nil, "extension 2.5.29.28: "},
		"two reasons":        {twoReasons, nil, "two reasons"},
		"a bad entry":        {badIssuer, nil, "the certificate's issuer cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Parse(c.data)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Fatalf("got %v, want %q", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, issuer := range []*authority{a, b} {
				var want error
				if !slices.Contains(c.issuer, issuer) {
					want = ErrMissing
				}
				if err := r.Check(newLeaf(issuer, nil), issuer.cert, epoch); !errors.Is(err, want) {
					t.Errorf("%s: got %v, want %v", issuer.cert.Subject, err, want)
				}
			}
		})
	}
}

// TestOrderOfLists: that of lists in a file does not matter, unless two are of the
// same second. Many ask at once.
func TestOrderOfLists(t *testing.T) {
	g := &crlGenerator{rnd: rand.New(rand.NewPCG(5, 3)), world: newWorld()}
	for range 150 {
		s := g.scenario()
		for i, l := range s.lists { // a second's difference changes no verdict here
			l.thisUpdate = l.thisUpdate.Add(-time.Duration(i) * time.Second)
		}
		r := load(t, s.lists...)
		backwards := slices.Clone(s.lists)
		slices.Reverse(backwards)
		q := load(t, backwards...)
		var wg sync.WaitGroup
		for _, leaf := range s.leaves {
			wg.Go(func() {
				one, two := r.Check(leaf.cert, s.issuer.cert, s.now), q.Check(leaf.cert, s.issuer.cert, s.now)
				if verdictOf(one) != verdictOf(two) {
					t.Errorf("%s: %v, and backwards %v\n%s", leaf.what, one, two, s)
				}
			})
		}
		wg.Wait()
	}
}

// TestNames is about names that are the same, and that are not.
func TestNames(t *testing.T) {
	printable := func(s string) asn1.RawValue { return str(asn1.TagPrintableString, s) }
	set := func(values ...string) []byte { // one RDN of several attributes
		var all pkix.RelativeDistinguishedNameSET
		for i, v := range values {
			all = append(all, pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 3 + i}, Value: v})
		}
		return must(asn1.Marshal([]pkix.RelativeDistinguishedNameSET{all}))
	}
	for name, c := range map[string]struct {
		a, b []byte
		same bool
	}{
		"kinds of string":        {rawName(printable("Acme CA")), simpleName("Acme CA"), true},
		"upper and lower case":   {simpleName("ACME ca"), simpleName("acme CA"), true},
		"blanks":                 {simpleName(" Acme \t\n CA "), simpleName("Acme CA"), true},
		"a blank more in a word": {simpleName("Ac me"), simpleName("Acme"), false},
		"16 bits a letter":       {rawName(str(asn1.TagBMPString, "\x00A\x00c\x20\xac")), simpleName("Ac\u20ac"), true},
		"32 bits a letter":       {rawName(str(28, "\x00\x00\x00A")), simpleName("A"), false},
		"Latin-1":                {rawName(str(asn1.TagT61String, "\xe4")), simpleName("\u00e4"), true},
		"case beyond ASCII":      {simpleName("\u00c4"), simpleName("\u00e4"), false},
		"half a letter":          {rawName(str(asn1.TagBMPString, "\x00A\x00")), simpleName("A"), false},
		"a surrogate":            {rawName(str(asn1.TagBMPString, "\xd8\x00")), simpleName("\ufffd"), false},
		"bad UTF-8":              {rawName(str(asn1.TagUTF8String, "\xff")), simpleName("\ufffd"), false},
		"no string":              {rawName(str(asn1.TagOctetString, "A")), simpleName("A"), false},
		"other attributes":       {simpleName("A"), rawName(printable("A"), printable("B")), false},
		"order of attributes": {rawName(printable("A"), printable("B")), rawName(printable("B"), printable("A")),
			false},
		"one RDN or two":          {set("A", "B"), rawName(printable("A"), printable("B")), false},
		"a quote and a plus sign": {simpleName(`A"+B="`), simpleName(`A`), false},
		"empty":                   {rawName(), rawName(), true},
		"unreadable":              {[]byte{1}, []byte{1}, true},
		"unreadable or not":       {[]byte{1}, []byte{2}, false},
	} {
		if same := canonicalName(c.a) == canonicalName(c.b); same != c.same {
			t.Errorf("%s: %s and %s are the same: %v", name, canonicalName(c.a), canonicalName(c.b), same)
		}
	}
}

// FuzzParse: any file is read or refused, and a verdict about the leaf, but
// that there is no list for it, comes from a list that its issuer has signed.
func FuzzParse(f *testing.F) {
	issuer := newAuthority(nil, simpleName("Issuer"), ed25519Key(), bothUsages)
	leaf := newLeaf(issuer, func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{points(point{Name: at(uriA), Reasons: reasonFlags(1, 2)},
			point{Name: at(uriB)})}
	})
	for _, l := range []*list{
		good(issuer), good(issuer, leaf),
		good(issuer, leaf).with(func(l *list) { l.version1 = true }),
		good(issuer).with(func(l *list) {
			l.extensions = append(l.extensions, issuing(issuingPoint{Point: at(uriA)}))
		}),
		good(issuer, leaf).with(func(l *list) {
			l.extensions[1] = serialOf(issuer.cert.SerialNumber, issuer.cert.RawIssuer)
			l.entries[0].extensions = append(l.entries[0].extensions, extension(oidCertificateIssuer, true,
				[]asn1.RawValue{directoryName(issuer.cert.RawSubject)}))
		}),
		good(issuer).with(func(l *list) { l.nextUpdate, l.tampered = time.Time{}, true }),
	} {
		f.Add(l.der())
		f.Add(pemOf(pemType, l.der(), l.der()))
	}
	f.Add(pemOf("CERTIFICATE", leaf.Raw))
	f.Add([]byte("-----BEGIN X509 CRL-----"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Parse(data)
		if (err == nil) != (r != nil) {
			t.Fatalf("%v and %v", r, err)
		}
		if err != nil {
			return
		}
		signed := false
		for _, lists := range r.byIssuer {
			for _, c := range lists {
				signed = signed || issuer.cert.CheckSignature(c.algorithm, c.signed, c.signature) == nil
			}
		}
		switch err := r.Check(leaf, issuer.cert, epoch); {
		case errors.Is(err, ErrMissing), errors.Is(err, ErrScope), errors.Is(err, ErrSignature):
		case !signed:
			t.Fatalf("no list is signed, and the verdict is %v", err)
		}
	})
}
