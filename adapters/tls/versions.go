package tls

import (
	"cmp"
	"crypto/tls"
)

// The versions that are allowed here, for an error of versions.

func (c *Conn) span() (lowest, highest uint16) {
	return max(c.lowest, tls.VersionTLS12), cmp.Or(c.highest, tls.VersionTLS13)
}

func (c *Conn) allowed() string {
	lowest, highest := c.span()
	if lowest == highest {
		return "only " + tls.VersionName(lowest) + " is allowed here"
	}
	return tls.VersionName(lowest) + " to " + tls.VersionName(highest) + " are allowed here"
}

// hintVersions is that of VersionTooLow: a version that is off here is named before what the
// broker should have. chosen is the broker's version, 0 if it named none.
func (c *Conn) hintVersions(chosen uint16) string {
	lowest, highest := c.span()
	const or = " (ssl.enabled.protocols), or enable "
	switch {
	case highest < tls.VersionTLS13 && (chosen == 0 || chosen > highest):
		return "the broker may accept TLS 1.3 only: allow it by Options.MaxVersion" + or + "TLS 1.2 at the broker"
	case lowest > tls.VersionTLS12 && (chosen == 0 || chosen == tls.VersionTLS12):
		return "the broker may have no TLS 1.3: allow TLS 1.2 by Options.MinVersion" + or + "TLS 1.3 at the broker"
	}
	return "the broker has only versions older than TLS 1.2, which are not supported here: enable TLS 1.2 or newer " +
		"at the broker (ssl.enabled.protocols)"
}
