package probe

import (
	"strings"
	"testing"
	"time"
)

// What a person reads, to the letter.
func TestTLSText(t *testing.T) {
	now := time.Date(2030, 6, 1, 12, 0, 0, 0, time.UTC)
	d := &tlsDocument{
		Address: "192.0.2.1:9093", headline: "NOT VERIFIED: the broker's certificate has expired",
		Protocol: "TLS 1.3", CipherSuite: "TLS_AES_128_GCM_SHA256", KeyExchange: "X25519",
		ClientCertificate: clientCertificateInfo{Asked: new(true), Required: new(true), Authorities: []string{"CN=clients", "CN=\x1b[31mred"}},
		Certificates: []certificateInfo{
			{
				Subject: "CN=a broker", Issuer: "CN=root", Serial: "65", DNS: []string{"a.test", "b.test"}, IP: []string{"192.0.2.1"}, OtherNames: 2,
				NotBefore: now.Add(-48 * time.Hour), NotAfter: now.Add(-2 * time.Hour), Key: "ECDSA P-256", Signature: "SHA256-RSA", SHA256: "00ff", now: now,
			},
			{
				Subject: "CN=root", Issuer: "CN=root", Serial: "1",
				NotBefore: now.Add(-48 * time.Hour), NotAfter: now.Add(100 * 24 * time.Hour), Key: "RSA 2048", Signature: "SHA256-RSA", SHA256: "11ff", Authority: true, now: now,
			},
		},
	}
	d.Checks.Chain = checkInfo{Passed: new(false), Enforced: true, Message: "the broker's certificate has expired: long ago"}
	d.Checks.Host = checkInfo{Passed: new(true), Enforced: true, Message: `the certificate is for "a.test"`}
	d.Checks.Revocation = checkInfo{Message: "not looked at: there is no CRL file"}
	const want = `verdict             NOT VERIFIED: the broker's certificate has expired
  chain             WRONG: the broker's certificate has expired: long ago
  host              ok: the certificate is for "a.test"
  revocation        not looked at: there is no CRL file
address             192.0.2.1:9093
protocol            TLS 1.3
cipher suite        TLS_AES_128_GCM_SHA256
key exchange        X25519
client certificate  asked for, and required; none is configured
  signed by         CN=clients
                    CN=\x1b[31mred
resumption          no: the broker gave no session

certificate 1 of 2  CN=a broker
  issued by         CN=root
  is for            DNS a.test
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
		t.Errorf("%s", got)
	}
}

func TestTLSPhrases(t *testing.T) {
	yes, no := new(true), new(false)
	for _, c := range []struct{ got, want string }{
		{checkInfo{Passed: no, Message: "m"}.text(), "wrong, which the properties leave out: m"},
		{checkInfo{Passed: yes, Message: "m"}.text(), "ok, not that it has to be: m"},
		{clientCertificateInfo{}.text(true), "not known: the handshake did not come so far"},
		{clientCertificateInfo{Asked: no}.text(true), "not asked for"},
		{clientCertificateInfo{Asked: yes}.text(true), "asked for, and whether it is required did not show; none is configured"},
		{clientCertificateInfo{Asked: yes, Configured: true, Required: no}.text(false), "asked for, not required; who is not verified is not shown the one that is configured"},
		{clientCertificateInfo{Asked: yes, Configured: true, Shown: true}.text(true), "asked for, and whether it is required did not show; what the broker thinks of the one that is configured did not show"},
		{resumptionInfo{Ticket: true}.text(), "the broker gave a session; not tried"},
		{resumptionInfo{Ticket: true, Resumed: yes}.text(), "yes"},
		{resumptionInfo{Ticket: true, Resumed: no}.text(), "no: the broker gave a session, and did not take it"},
		{span(0), "0 seconds"}, {span(119), "119 seconds"}, {span(120), "2 minutes"}, {span(7199), "119 minutes"},
		{span(7200), "2 hours"}, {span(2*24*60*60 - 1), "47 hours"}, {span(2 * 24 * 60 * 60), "2 days"}, {span(3000000 * 24 * 60 * 60), "3000000 days"},
		{shown("a\nb\x00\u009b\u202e\u00e9"), `a\nb\x00\u009b\u202e` + "\u00e9"},
		{shown(strings.Repeat("\u00e9", maxShownRunes)), strings.Repeat("\u00e9", maxShownRunes)},
		{shown(strings.Repeat("x", maxShownRunes+1)), strings.Repeat("x", maxShownRunes) + "..."},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
