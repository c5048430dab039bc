package tls

import (
	"crypto/x509"
	"testing"

	"software.sslmate.com/src/go-pkcs12"
)

// A store without a password is blamed on the option of its password only where one may be
// missing: what is wrong with the file is an error of the option of the file.
func TestBlameOfStoreWithoutPassword(t *testing.T) {
	ca := newCA("the authority")
	mine := ca.chained()
	trust := string(must(pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{ca.cert}, canary)))
	open := string(must(pkcs12.Passwordless.EncodeTrustStore([]*x509.Certificate{ca.cert}, "")))
	own := string(must(pkcs12.Modern.Encode(mine.PrivateKey, mine.Leaf, []*x509.Certificate{ca.cert}, canary)))
	ownJKS := jksOf(nil, &mine, canary, canary)
	cut := func(file string) string { return file[:len(file)/2] }
	for name, c := range map[string]struct{ trust, own, option string }{
		"encrypted trust":       {trust: trust, option: "CAPassword"},
		"trust beside a key":    {trust: own, option: "CAPassword"},
		"trust cut off":         {trust: cut(trust), option: "CAFile"},
		"open trust cut off":    {trust: cut(open), option: "CAFile"},
		"JKS trust cut off":     {trust: cut(jksOf(ca.cert, nil, canary, "")), option: "CAFile"},
		"JKS without trust":     {trust: jksOf(nil, nil, canary, ""), option: "CAFile"},
		"encrypted identity":    {own: own, option: "StorePassword"},
		"identity cut off":      {own: cut(own), option: "CertFile"},
		"JKS identity":          {own: ownJKS, option: "StorePassword"},
		"JKS identity cut off":  {own: cut(ownJKS), option: "CertFile"},
		"JKS without a key":     {own: jksOf(ca.cert, nil, canary, ""), option: "CertFile"},
		"PKCS#12 without a key": {own: open, option: "CertFile"},
	} {
		t.Run(name, func(t *testing.T) {
			var o Options
			if c.trust != "" {
				o.CAFile = write(t, "trust", c.trust)
			}
			if c.own != "" {
				o.CAPEM, o.CertFile = ca.pem(), write(t, "own", c.own)
			}
			_, err := Dial(plainDial, o)
			wantOption(t, err, c.option)
		})
	}
}
