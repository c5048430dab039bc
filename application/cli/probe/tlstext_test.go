package probe

import (
	"strings"
	"testing"
	"time"
)

func TestTLSText(t *testing.T) {
	now := time.Date(2030, 6, 1, 12, 0, 0, 0, time.UTC)
	began := now.Add(-48 * time.Hour)
	d := &tlsDocument{
		Address: "192.0.2.1:9093", headline: "NOT VERIFIED: the broker's certificate has expired",
		Protocol: "TLS 1.3", CipherSuite: "TLS_AES_128_GCM_SHA256", KeyExchange: "X25519",
		Checks: checksInfo{
			Chain:      checkInfo{new(false), true, "", "the broker's certificate has expired: long ago"},
			Host:       checkInfo{new(true), true, "", `the certificate is valid for "a.test"`},
			Revocation: checkInfo{Message: "not checked: no CRL file is configured"},
		},
		ClientCertificate: clientCertificateInfo{
			Requested: new(true), Required: new(true), Authorities: []string{"CN=clients", "CN=\x1b[31mred"},
		},
		Certificates: []certificateInfo{{
			Subject: "CN=a broker", Issuer: "CN=root", Serial: "65",
			DNS: []string{"a.test", "b.test"}, IP: []string{"192.0.2.1"}, OtherNames: 2,
			NotBefore: began, NotAfter: now.Add(-2 * time.Hour), now: now,
			Key: "ECDSA P-256", Signature: "SHA256-RSA", SHA256: "00ff",
		}, {
			Subject: "CN=root", Issuer: "CN=root", Serial: "1", Authority: true,
			NotBefore: began, NotAfter: now.Add(100 * 24 * time.Hour), now: now,
			Key: "RSA 2048", Signature: "SHA256-RSA", SHA256: "11ff",
		}},
	}
	const want = `verdict             NOT VERIFIED: the broker's certificate has expired
  chain             FAILED: the broker's certificate has expired: long ago
  host              ok: the certificate is valid for "a.test"
  revocation        not checked: no CRL file is configured
address             192.0.2.1:9093
protocol            TLS 1.3
cipher suite        TLS_AES_128_GCM_SHA256
key exchange        X25519
client certificate  requested, and required; none is configured
  signed by         CN=clients
                    CN=\x1b[31mred
resumption          no: the broker issued no session

certificate 1 of 2  CN=a broker
  issued by         CN=root
  valid for         DNS a.test
                    DNS b.test
                    IP 192.0.2.1
                    2 of other kinds
  valid             from 2030-05-30 12:00:00 UTC to 2030-06-01 10:00:00 UTC: EXPIRED 2 hours ago
  key               ECDSA P-256, signed with SHA256-RSA
  serial            65
  SHA-256           00ff

certificate 2 of 2  CN=root
  issued by         CN=root
  valid             from 2030-05-30 12:00:00 UTC to 2030-09-09 12:00:00 UTC: 100 days left
  key               RSA 2048, signed with SHA256-RSA; an authority
  serial            1
  SHA-256           11ff
`
	if got := d.text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTLSPhrases(t *testing.T) {
	yes, no := new(true), new(false)
	const day = 24 * 60 * 60
	long := strings.Repeat("x", maxShownRunes)
	for _, c := range []struct{ got, want string }{
		{checkInfo{Passed: no, Message: "m"}.text(), "failed, but not required: m"},
		{checkInfo{Passed: yes, Message: "m"}.text(), "ok, but not required: m"},
		{clientCertificateInfo{}.text(true), "not known: the handshake failed too early"},
		{clientCertificateInfo{Requested: no}.text(true), "not requested"},
		{clientCertificateInfo{Requested: yes}.text(true),
			"requested, not known whether it is required; none is configured"},
		{clientCertificateInfo{Requested: yes, Configured: true, Required: no}.text(false),
			"requested, not required; the configured one was not sent, since the broker is not verified"},
		{clientCertificateInfo{Requested: yes, Configured: true, Sent: true}.text(true),
			"requested, not known whether it is required; not known whether the configured one is accepted"},
		{resumptionInfo{Ticket: true}.text(), "the broker issued a session; not tried"},
		{resumptionInfo{Ticket: true, Resumed: yes}.text(), "yes"},
		{resumptionInfo{Ticket: true, Resumed: no}.text(), "no: the broker issued a session, and did not resume it " +
			"on the next connection, as where each network thread has keys of its own"},
		{span(0), "0 seconds"}, {span(119), "119 seconds"}, {span(120), "2 minutes"}, {span(7199), "119 minutes"},
		{span(7200), "2 hours"}, {span(2*day - 1), "47 hours"}, {span(2 * day), "2 days"},
		{span(3000000 * day), "3000000 days"},
		{printable("a\nb\x00\u009b\u202e\u00e9"), `a\nb\x00\u009b\u202e` + "\u00e9"},
		{printable(long), long},
		{printable(strings.Repeat("\u00e9", maxShownRunes)), strings.Repeat("\u00e9", maxShownRunes)},
		{printable(long + "x"), long + "..."},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
