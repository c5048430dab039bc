package cipherlist

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
)

// TestParse holds lists that people write, and what is particular here.
func TestParse(t *testing.T) {
	const modern = "ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 " +
		"ECDHE-RSA-AES256-GCM-SHA384 ECDHE-ECDSA-CHACHA20-POLY1305 ECDHE-RSA-CHACHA20-POLY1305"
	for _, c := range []struct{ list, want string }{
		// Mozilla's intermediate list, of which crypto/tls lacks the DHE suites.
		{"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:" +
			"ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:" +
			"DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384", modern},
		{"ECDHE+AESGCM:ECDHE+CHACHA20", modern},
		{"HIGH:!aNULL:!SHA:!kRSA:!SHA256", modern},
		{"EECDH+AESGCM:EDH+AESGCM:!aNULL", "ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256 " +
			"ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384"},
		{"SUITEB192:ALL", "ECDHE-ECDSA-AES256-GCM-SHA384"},

		// - is not for good, ! is.
		{"AES128-SHA:-AES128-SHA:AES128-SHA", "AES128-SHA"},
		{"AES128-SHA:AES256-SHA:!AES128-SHA:AES128-SHA", "AES256-SHA"},
		// + and @STRENGTH only order.
		{"AES128-SHA:AES256-SHA:+AES128-SHA:@STRENGTH", "AES128-SHA AES256-SHA"},
		// SHA256 is of the MAC, which GCM lacks.
		{"RSA+SHA256", "AES128-SHA256"},
		// Versions are those that a suite came with.
		{"TLSv1+AES256", "ECDHE-ECDSA-AES256-SHA ECDHE-RSA-AES256-SHA"},
		// Unknown words are ignored.
		{"FOO:AES128-SHA:BAR+AES256:!BAZ", "AES128-SHA"},
		// Separators may be mixed.
		{" AES128-SHA,AES256-SHA ;:AES128-SHA256", "AES128-SHA AES256-SHA AES128-SHA256"},
		// The level counts anywhere, and the last one.
		{"@SECLEVEL=0:AES128-SHA:AES256-GCM-SHA384:ECDHE-RSA-AES256-SHA:@SECLEVEL=3", "ECDHE-RSA-AES256-SHA"},

		// IANA's names, as OpenSSL takes them from 3.2 on, alone and in combinations.
		{"TLS_RSA_WITH_AES_128_CBC_SHA:TLS_AES_128_GCM_SHA256", "AES128-SHA"},
		{"RSA:!TLS_RSA_WITH_AES_128_CBC_SHA:-AESGCM:-SHA256", "AES256-SHA"},

		// RC4 and 3DES are only for those who name them.
		{"SHA+kRSA", "AES128-SHA AES256-SHA"},
		{"3DES", "ECDHE-RSA-DES-CBC3-SHA DES-CBC3-SHA"},
		{"3DES:AES128-SHA:!ECDHE", "DES-CBC3-SHA AES128-SHA"},
		{"RC4+ECDSA@SECLEVEL=1", "ECDHE-ECDSA-RC4-SHA"},
		{"TLS_RSA_WITH_RC4_128_SHA@SECLEVEL=0", "RC4-SHA"},
		{"AES128-SHA:RC4", "AES128-SHA"}, // below level 2
		{"DEFAULT:3DES:-AES:-CHACHA20:AES128-SHA", "AES128-SHA"},
	} {
		ids, err := Parse(c.list)
		if err != nil {
			t.Errorf("%q: %v", c.list, err)
		}
		want := strings.Fields(c.want)
		slices.Sort(want)
		if got := suiteNames(ids); !slices.Equal(got, want) {
			t.Errorf("%q:\n got %v\nwant %v", c.list, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	const always = "suites of TLS 1.3 are always on and cannot be selected"
	for _, c := range []struct {
		list string
		want []string
	}{
		{"", []string{`cipher list "": it selects nothing; `, "ECDHE+AESGCM", always}},
		{"!ALL:ALL", []string{"it selects nothing; ", always}},
		{"TLS_AES_128_GCM_SHA256", []string{"crypto/tls has no suite for TLS_AES_128_GCM_SHA256;", always}},
		{"CAMELLIA:DHE+AESGCM:MEDIUM", []string{"crypto/tls has no suite for CAMELLIA DHE+AESGCM MEDIUM;", always}},
		{"AES-128", []string{"crypto/tls has no suite for AES-128;"}},
		{"RC4-SHA", []string{"its suites (RC4-SHA) are below security level 2; set a lower one with @SECLEVEL=n",
			always}},
		{"AES128@SECLEVEL=5", []string{"are below security level 5"}},
		{"AES:@SECLEVEL=6", []string{"@SECLEVEL=6 is not a command: want @STRENGTH or @SECLEVEL=0 to 5"}},
		{"AES:@", []string{"@ is not a command"}},
		{"AES+:SHA", []string{"an operator has no word after it"}},
		{"AES:-", []string{"an operator has no word after it"}},
		{"AES/SHA", []string{`cipher list "AES/SHA": no word can begin with '/'`}},
		{"AES:\u00e4", []string{"no word can begin with 'ä'"}},
		{strings.Repeat("FOO:", 1000), []string{`FOO:FOO:..."`, "FOO FOO ...; "}},
	} {
		ids, err := Parse(c.list)
		if err == nil {
			t.Errorf("%q: selects %v", c.list, suiteNames(ids))
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %v\nlacks %q", shortened(c.list), err, want)
			}
		}
		if len(err.Error()) > 700 {
			t.Errorf("%q: an error of %d bytes", shortened(c.list), len(err.Error()))
		}
	}
}

// TestEverySuiteIsKnown is about suites that crypto/tls gains or loses.
func TestEverySuiteIsKnown(t *testing.T) {
	var want, got []uint16
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if s.SupportedVersions[0] < tls.VersionTLS13 {
			want = append(want, s.ID)
		}
	}
	for _, s := range suites {
		got = append(got, s.id)
	}
	if !slices.Equal(sorted(got), sorted(want)) {
		t.Errorf("got %v, want %v", sorted(got), sorted(want))
	}
}

// TestSelectedSuiteIsUsed shows what becomes of a selection in crypto/tls: with
// TLS 1.2 it decides, with TLS 1.3 it does not.
func TestSelectedSuiteIsUsed(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{},
		key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	server := &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	for _, c := range []struct {
		list    string
		highest uint16
		want    uint16
	}{
		{"ECDHE+CHACHA20", tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256},
		{"ECDHE-ECDSA-AES256-SHA", tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA},
		{"ECDHE-ECDSA-AES256-SHA", tls.VersionTLS13, 0},
	} {
		ids, err := Parse(c.list)
		if err != nil {
			t.Fatal(err)
		}
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			_ = tls.Server(far, server).Handshake()
		}()
		client := tls.Client(near, &tls.Config{InsecureSkipVerify: true, CipherSuites: ids, MaxVersion: c.highest})
		if err := client.Handshake(); err != nil {
			t.Fatalf("%s: %v", c.list, err)
		}
		state := client.ConnectionState()
		if c.want == 0 && state.Version != tls.VersionTLS13 || c.want != 0 && state.CipherSuite != c.want {
			t.Errorf("%s up to %s: %s, %s", c.list, tls.VersionName(c.highest), tls.VersionName(state.Version),
				tls.CipherSuiteName(state.CipherSuite))
		}
		near.Close()
	}
}

// FuzzParse: any list is read or refused; what is read is a set of suites
// of crypto/tls, which +ALL leaves as it is and !ALL empties.
func FuzzParse(f *testing.F) {
	for _, list := range []string{"DEFAULT", "ALL:!aNULL:@SECLEVEL=3", "ECDHE+AESGCM:-AES128,+SHA", "SUITEB128",
		"TLS_RSA_WITH_AES_128_CBC_SHA", "@STRENGTH@", "@" + strings.Repeat("S", 3000), "AES/", "+", ""} {
		f.Add(list)
	}
	f.Fuzz(func(t *testing.T, list string) {
		ids, err := Parse(list)
		if (err == nil) != (len(ids) > 0) {
			t.Fatalf("%d suites and %v", len(ids), err)
		}
		if err != nil && len(err.Error()) > 2000 {
			t.Fatalf("an error of %d bytes", len(err.Error()))
		}
		for _, id := range ids {
			if !slices.ContainsFunc(suites, func(s suite) bool { return s.id == id }) {
				t.Fatalf("%#x is not a suite of crypto/tls", id)
			}
		}
		if got := sorted(ids); len(slices.Compact(got)) != len(ids) {
			t.Fatalf("a suite is there twice: %v", suiteNames(ids))
		}
		if strings.HasPrefix(list, "SUITEB") {
			return
		}
		again, err2 := Parse(list + ":+ALL")
		if (err == nil) != (err2 == nil) || !slices.Equal(ids, again) {
			t.Fatalf("%v, and with +ALL %v (%v)", suiteNames(ids), suiteNames(again), err2)
		}
		if none, err := Parse(list + ":!ALL"); err == nil {
			t.Fatalf("%v is left by !ALL", suiteNames(none))
		}
	})
}
