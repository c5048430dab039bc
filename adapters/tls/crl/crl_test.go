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
	future := func(l *list) { l.thisUpdate = epoch.Add(time.Minute) }
	reasoned := func(r reason) func(*list) {
		return func(l *list) { l.entries[0].extensions = []pkix.Extension{reasonOf(r, false)} }
	}
	extended := func(x pkix.Extension) func(*list) {
		return func(l *list) { l.extensions = append(l.extensions, x) }
	}
	delta := func(l *list) {
		extended(extension(oidDelta, true, big.NewInt(1)))(l)
		l.thisUpdate = epoch.Add(-time.Minute)
	}
	for name, c := range map[string]struct {
		lists []*list
		want  error
		says  string
	}{
		"only the leaf's issuer needs a list": {[]*list{good(issuer, other)}, nil, ""},
		"the root's list does not do": {[]*list{good(root)}, ErrMissing,
			"unable to get certificate CRL: none of CN=Issuer"},
		"revoked": {[]*list{good(issuer, other, leaf)}, ErrRevoked,
			"on 2026-06-01T11:59:00Z, reason keyCompromise"},
		"expired, though the leaf is good": {[]*list{good(issuer).with(expired)}, ErrExpired,
			"CRL has expired: that of CN=Issuer, issued on 2026-06-01T10:00:00Z, to be followed by " +
				"2026-06-01T11:00:00Z; now is 2026-06-01T12:00:00Z"},
		"revoked wins over expired": {[]*list{good(issuer, leaf).with(expired)}, ErrRevoked, ""},
		"not yet valid": {[]*list{good(issuer).with(future)}, ErrNotYetValid,
			"issued on 2026-06-01T12:01:00Z"},
		"revoked wins over not yet valid": {[]*list{good(issuer, leaf).with(future)}, ErrRevoked, ""},
		"no nextUpdate": {[]*list{good(issuer).with(func(l *list) { l.nextUpdate = time.Time{} })},
			nil, ""},
		"at thisUpdate": {[]*list{good(issuer).with(func(l *list) { l.thisUpdate = epoch })}, nil,
			""},
		"at nextUpdate": {[]*list{good(issuer).with(func(l *list) { l.nextUpdate = epoch })},
			ErrExpired, ""},

		"tampered": {[]*list{good(issuer).with(func(l *list) { l.tampered = true })},
			ErrSignature, "that of CN=Issuer"},
		"tampered wins over expired": {[]*list{good(issuer).with(func(l *list) { l.tampered = true }).with(expired)},
			ErrSignature, ""},
		"signed by another": {[]*list{good(issuer, leaf).with(func(l *list) {
			l.signer, l.issuer = twin,
				issuer.cert.RawSubject
		})}, ErrSignature, ""},
		"of another key of the name": {[]*list{good(twin, leaf)}, ErrMissing, "it is of another key of that name"},
		"of both keys of the name":   {[]*list{good(twin, leaf), good(issuer)}, nil, ""},
		"name in other letters": {[]*list{good(issuer,
			leaf).with(func(l *list) { l.issuer = variant(issuer.cert.RawSubject) })}, ErrRevoked, ""},
		"version 1": {[]*list{good(issuer, other).with(func(l *list) { l.version1 = true })}, nil,
			""},
		"version 1, revoked": {[]*list{good(issuer, leaf).with(func(l *list) { l.version1 = true })},
			ErrRevoked, "reason unspecified"},
		"version 1, tampered": {[]*list{good(issuer).with(func(l *list) {
			l.version1, l.tampered = true,
				true
		})}, ErrSignature, ""},
		"on hold": {[]*list{good(issuer, leaf).with(reasoned(6))}, ErrRevoked,
			"reason certificateHold"},
		"removed": {[]*list{good(issuer, leaf).with(reasoned(removeFromCRL))}, nil, ""},
		"removed and listed again": {[]*list{good(issuer, leaf, leaf).with(reasoned(removeFromCRL))}, ErrRevoked,
			""},
		"a later list without the leaf": {[]*list{good(issuer, leaf),
			good(issuer).with(func(l *list) { l.thisUpdate = epoch.Add(-time.Minute) })}, nil, ""},
		"an earlier list without it": {[]*list{good(issuer, leaf),
			good(issuer).with(func(l *list) { l.thisUpdate = epoch.Add(-3 * time.Hour) })}, ErrRevoked, ""},
		"an expired later list": {[]*list{good(issuer), good(issuer,
			leaf).with(func(l *list) {
			l.thisUpdate, l.nextUpdate = epoch.Add(-time.Minute),
				epoch.Add(-time.Second)
		})}, nil, ""},
		"a delta never counts": {[]*list{good(issuer, leaf).with(delta)}, ErrMissing,
			"it has changes only (delta)"},
		"a later delta is passed over": {[]*list{good(issuer), good(issuer, leaf).with(delta)}, nil, ""},
		"critical and unknown": {[]*list{good(issuer).with(extended(extension(asn1.ObjectIdentifier{1, 2, 3},
			true, 1)))}, ErrExtension, ""},
		"critical even where it revokes": {[]*list{good(issuer, leaf).with(extended(extension(asn1.ObjectIdentifier{1,
			2, 3}, true, 1)))}, ErrExtension, ""},
		"unknown but not critical": {[]*list{good(issuer).with(extended(extension(asn1.ObjectIdentifier{1, 2, 3},
			false, 1)))}, nil, ""},
		"an entry with what is critical": {[]*list{good(issuer,
			other).with(func(l *list) { l.entries[0].extensions[0].Critical = true })}, ErrExtension, ""},
		"for users only": {[]*list{good(issuer).with(extended(issuing(issuingPoint{OnlyUser: true})))},
			nil, ""},
		"for authorities only": {[]*list{good(issuer,
			leaf).with(extended(issuing(issuingPoint{OnlyAuthorities: true})))}, ErrScope,
			"that of CN=Issuer is not for this certificate"},
		"for another point": {[]*list{good(issuer).with(extended(issuing(issuingPoint{Point: at(uriA)})))},
			ErrScope, ""},
		"indirect": {[]*list{good(issuer).with(extended(issuing(issuingPoint{Indirect: true})))},
			ErrMissing, "certificates of other issuers (indirect)"},
		"for some reasons": {[]*list{good(issuer).with(extended(issuing(issuingPoint{OnlyReasons: reasonFlags(1)})))},
			ErrMissing, "for some reasons of revocation only"},
		"contradictory": {[]*list{good(issuer).with(extended(issuing(issuingPoint{OnlyUser: true,
			OnlyAuthorities: true})))}, ErrMissing, "contradicts itself"},
	} {
		t.Run(name, func(t *testing.T) {
			r := load(t, c.lists...)
			err := r.Check(leaf, issuer.cert, epoch)
			if c.want == nil && err != nil || !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v\nlacks %q", err, c.says)
			}
		})
	}
}

func load(t *testing.T, lists ...*list) *Lists {
	t.Helper()
	var ders [][]byte
	for _, l := range lists {
		ders = append(ders, l.der())
	}
	r, err := Parse(pemOf(pemType, ders...))
	if err != nil {
		t.Fatal(err)
	}
	return r
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
	if err := unrelated.Check(root.cert, root.cert, epoch); err != nil {
		t.Errorf("self-signed: %v", err)
	}
	if err := unrelated.Check(root.cert, nil, epoch); err != nil {
		t.Errorf("self-signed, alone: %v", err)
	}
	// One that only says that it is self-signed is looked up.
	namesake := newLeaf(root, func(c *x509.Certificate) { c.RawSubject = root.cert.RawSubject })
	if err := unrelated.Check(namesake, root.cert, epoch); !errors.Is(err, ErrMissing) {
		t.Errorf("named as its issuer: %v", err)
	}
	if err := unrelated.Check(newLeaf(root, nil), nil, epoch); !errors.Is(err, ErrMissing) {
		t.Errorf("without its issuer: %v", err)
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
	a, b := newAuthority(nil, simpleName("A"), ecKey(), bothUsages), newAuthority(nil, simpleName("B"), ecKey(),
		bothUsages)
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
				err := r.Check(newLeaf(issuer, nil), issuer.cert, epoch)
				if slices.Contains(c.issuer, issuer) && err != nil || !slices.Contains(c.issuer, issuer) &&
					!errors.Is(err, ErrMissing) {
					t.Errorf("%s: %v", issuer.cert.Subject, err)
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
		"16 bits a letter": {rawName(str(asn1.TagBMPString, "\x00A\x00c\x20\xac")), simpleName("Ac\u20ac"),
			true},
		"32 bits a letter": {rawName(str(tagUniversalString, "\x00\x00\x00A\x00\x00\x20\xac")),
			simpleName("A\u20ac"), true},
		"Latin-1":           {rawName(str(asn1.TagT61String, "\xe4")), simpleName("\u00e4"), true},
		"case beyond ASCII": {simpleName("\u00c4"), simpleName("\u00e4"), false},
		"half a letter":     {rawName(str(asn1.TagBMPString, "\x00A\x00")), simpleName("A"), false},
		"a surrogate":       {rawName(str(asn1.TagBMPString, "\xd8\x00")), simpleName("\ufffd"), false},
		"bad UTF-8":         {rawName(str(asn1.TagUTF8String, "\xff")), simpleName("\ufffd"), false},
		"no string": {rawName(asn1.RawValue{Tag: asn1.TagOctetString, Bytes: []byte("A")}),
			simpleName("A"), false},
		"other attributes": {simpleName("A"), rawName(printable("A"), printable("B")), false},
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
			l.extensions = append(l.extensions,
				issuing(issuingPoint{Point: at(uriA)}))
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
