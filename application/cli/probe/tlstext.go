package probe

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// The text of a tlsDocument. Everything that a peer sent goes through printable:
// certificates may have any bytes in their names, and there may be any number of them.

const (
	maxShownCertificates = 10
	maxShownNames        = 40
	maxShownRunes        = 200
	widthOfLabels        = 20
)

// printable returns the text of a peer as one line without control characters, of at most
// maxShownRunes characters.
func printable(text string) string {
	if runes := []rune(text); len(runes) > maxShownRunes {
		return escapedLine(string(runes[:maxShownRunes])) + "..."
	}
	return escapedLine(text)
}

// escapedLine returns a text with escapes such as \n in place of what is not printable.
func escapedLine(text string) string {
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

type labelled struct{ strings.Builder }

func (l *labelled) line(label, format string, args ...any) {
	fmt.Fprintf(l, "%-*s%s\n", widthOfLabels, label, oneLine(fmt.Sprintf(format, args...)))
}

// list writes a line for each of a peer's names, up to maxShownNames.
func (l *labelled) list(label string, names []string) {
	for i, name := range names {
		if i == maxShownNames {
			l.line("", "and %d more: --json has all", len(names)-i)
			return
		}
		l.line(label, "%s", printable(name))
		label = ""
	}
}

func (d *tlsDocument) text() string {
	var b labelled
	b.line("verdict", "%s", d.headline)
	b.line("  chain", "%s", d.Checks.Chain.text())
	b.line("  host", "%s", d.Checks.Host.text())
	b.line("  revocation", "%s", d.Checks.Revocation.text())
	b.line("address", "%s", d.Address)
	b.line("protocol", "%s", d.Protocol)
	b.line("cipher suite", "%s", d.CipherSuite)
	if d.KeyExchange != "" {
		b.line("key exchange", "%s", d.KeyExchange)
	}
	b.line("client certificate", "%s", d.ClientCertificate.text(d.Verified))
	b.list("  signed by", d.ClientCertificate.Authorities)
	b.line("resumption", "%s", d.Resumption.text())
	for i := range d.Certificates {
		b.WriteByte('\n')
		if i == maxShownCertificates {
			fmt.Fprintf(&b, "and %d more certificates: --json has all\n", len(d.Certificates)-i)
			break
		}
		d.Certificates[i].text(&b, fmt.Sprintf("certificate %d of %d", i+1, len(d.Certificates)))
	}
	return b.String()
}

func (c checkInfo) text() string {
	message := oneLine(c.Message)
	switch {
	case c.Passed == nil:
		return message
	case *c.Passed && c.Enforced:
		return "ok: " + message
	case *c.Passed:
		return "ok, but not required: " + message
	case !c.Enforced:
		return "failed, but not required: " + message
	}
	return "FAILED: " + message
}

func (c clientCertificateInfo) text(verified bool) string {
	text := known(c.Requested, "not known: the handshake failed too early", "requested, ", "not requested")
	if c.Requested == nil || !*c.Requested {
		return text
	}
	text += known(c.Required, "not known whether it is required", "and required", "not required")
	switch {
	case !c.Configured:
		return text + "; none is configured"
	case !c.Sent && !verified:
		return text + "; the configured one was not sent, since the broker is not verified"
	}
	return text + known(c.Accepted, "; not known whether the configured one is accepted",
		"; the configured one is accepted", "; the configured one is rejected")
}

// known returns the text for a truth value; nil: it is not known.
func known(value *bool, unknown, yes, no string) string {
	switch {
	case value == nil:
		return unknown
	case *value:
		return yes
	}
	return no
}

func (r resumptionInfo) text() string {
	if !r.Ticket {
		return "no: the broker issued no session"
	}
	return known(r.Resumed, "the broker issued a session; not tried", "yes",
		"no: the broker issued a session, and did not resume it on the next connection, as where each network thread "+
			"has keys of its own")
}

func (c *certificateInfo) text(b *labelled, title string) {
	b.line(title, "%s", printable(c.Subject))
	b.line("  issued by", "%s", printable(c.Issuer))
	b.list("  valid for", c.names())
	const day = "2006-01-02 15:04:05 UTC"
	b.line("  valid", "from %s to %s: %s", c.NotBefore.Format(day), c.NotAfter.Format(day), c.left())
	b.line("  key", "%s, signed with %s%s", printable(c.Key), printable(c.Signature),
		known(&c.Authority, "", "; an authority", ""))
	b.line("  serial", "%s", printable(c.Serial))
	b.line("  SHA-256", "%s", c.SHA256)
}

func (c *certificateInfo) names() (all []string) {
	for _, kind := range []struct {
		name string
		all  []string
	}{{"DNS", c.DNS}, {"IP", c.IP}, {"email", c.Email}, {"URI", c.URI}} {
		for _, name := range kind.all {
			all = append(all, kind.name+" "+name)
		}
	}
	if c.OtherNames > 0 {
		all = append(all, fmt.Sprintf("%d of other kinds", c.OtherNames))
	}
	return all
}

// left returns the time until a certificate expires.
func (c *certificateInfo) left() string {
	switch {
	case c.now.Before(c.NotBefore):
		return "BEGINS in " + span(secondsFrom(c.now, c.NotBefore))
	case c.now.After(c.NotAfter):
		return "EXPIRED " + span(secondsFrom(c.NotAfter, c.now)) + " ago"
	}
	return span(secondsFrom(c.now, c.NotAfter)) + " left"
}

// span returns a time in the largest unit of which there are at least two.
func span(seconds int64) string {
	for _, unit := range []struct {
		name    string
		seconds int64
	}{{"days", 24 * 60 * 60}, {"hours", 60 * 60}, {"minutes", 60}} {
		if n := seconds / unit.seconds; n >= 2 {
			return fmt.Sprintf("%d %s", n, unit.name)
		}
	}
	return fmt.Sprintf("%d seconds", seconds)
}
