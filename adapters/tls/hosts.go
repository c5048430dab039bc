package tls

import (
	"crypto/x509"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// A certificate that is not for the host: which names it has instead, and the two mistakes that
// a list of names does not show.

// wrongHost sets the Reason, and says what the certificate is for.
func (v *verifier) wrongHost(e *Error, leaf *x509.Certificate) {
	e.Reason = WrongHost
	host, entry := fmt.Sprintf("%q", v.name), "DNS:"+v.name
	address, ok := addressOf(v.name)
	if ok {
		host, entry = "the address "+v.name, "IP:"+address.String()
	}
	names := namesOf(leaf)
	if names == "" {
		e.Detail = "it has no alternative name of a host"
		if leaf.Subject.CommonName != "" {
			e.Detail += fmt.Sprintf(", only the common name %q, which is not compared (RFC 9525)",
				short(leaf.Subject.CommonName))
		}
		e.hint = "issue the broker a certificate with the subject alternative name " + entry +
			"; a common name alone is not enough"
		return
	}
	e.Detail = fmt.Sprintf("it is for %s, not for %s", names, host)
	if ok && slices.ContainsFunc(leaf.DNSNames, func(name string) bool {
		other, isAddress := addressOf(name)
		return isAddress && other == address
	}) {
		e.hint = "issue the broker a certificate with the subject alternative name " + entry +
			": an address that is written as a DNS name is not compared"
	}
}

// addressOf reads an address, in brackets or not.
func addressOf(text string) (netip.Addr, bool) {
	address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	return address.Unmap(), err == nil
}

// namesOf returns the hosts of a certificate, at most ten.
func namesOf(c *x509.Certificate) string {
	var names []string
	for _, name := range c.DNSNames {
		text := fmt.Sprintf("%q", short(name))
		if _, ok := addressOf(name); ok {
			text = "the DNS name " + text
		}
		names = append(names, text)
	}
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if more := len(names) - 10; more > 0 {
		names = append(names[:10], fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}
