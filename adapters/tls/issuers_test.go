package tls

import (
	"crypto/tls"
	"errors"
	"strings"
	"testing"

	"brokerconn/ports"
)

// A broker names the authorities whose client certificates it accepts. crypto/tls leaves out a
// certificate of another issuer without a word, and then the broker only reports that there was
// none (Java 17: bad_certificate, Java 25: certificate_required). Here both are named.
func TestIssuerIsCompared(t *testing.T) {
	ca, other := newCA("the authority"), newCA("another authority")
	mine, foreign := ca.issue(), other.issue()
	for _, version := range versions {
		address := listen(t, tlsServer(ca.verifying(version)))
		own := func(c tls.Certificate) Options {
			return Options{Config: &tls.Config{RootCAs: ca.pool(), ServerName: "broker.test", Time: clock().Now,
				Certificates: []tls.Certificate{c}}}
		}
		for what, c := range map[string]struct {
			o      Options
			reason Reason
			words  []string
		}{
			"of files": {ca.options().showing(foreign), CertificateRefused,
				[]string{"the client certificate is issued by"}},
			"of Config": {own(foreign), CertificateRequired,
				[]string{"the client certificate was not sent: it is issued by"}},
		} {
			_, err := reach(t, mustDial(t, plainDial, c.o), address)
			wantReason(t, err, c.reason)
			for _, word := range append(c.words, `"CN=another authority"`,
				`the broker accepts those of "CN=the authority"`) {
				if err == nil || !strings.Contains(err.Error(), word) {
					t.Errorf("%s, %s: got %v, want %q", tls.VersionName(version), what, err, word)
				}
			}
			var hinter ports.Hinter
			if !errors.As(err, &hinter) || !strings.Contains(hinter.Hint(), "issuer") {
				t.Errorf("%s, %s: got %v, want a hint about the issuer", tls.VersionName(version), what, err)
			}
			if !errors.Is(err, ports.ErrFinal) {
				t.Errorf("%s, %s: got %v, want an ErrFinal", tls.VersionName(version), what, err)
			}
		}
		for _, o := range []Options{ca.options().showing(mine), own(mine)} {
			_, err := reach(t, mustDial(t, plainDial, o), address)
			mustDo(t, err)
		}
		_, err := reach(t, mustDial(t, plainDial, ca.options()), address)
		wantReason(t, err, CertificateRequired)
		if err != nil && strings.Contains(err.Error(), "issued by") {
			t.Errorf("got %v, want nothing of an issuer without a certificate", err)
		}
	}
	if errors.Is(&Error{Reason: Expired}, ports.ErrFinal) {
		t.Error("got an ErrFinal of the broker's certificate, want none")
	}
}
