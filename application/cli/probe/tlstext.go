package probe

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// How a tlsDocument is told to people. Whatever a peer said goes through shown:
// certificates may have any byte in their names, and be of any number and length.

const (
	maxShownCertificates = 10
	maxShownNames        = 40
	maxShownRunes        = 200
	widthOfLabels        = 20
)

// shown is a peer's words, as one line that no terminal obeys.
func shown(words string) string {
	var b strings.Builder
	n := 0
	for _, r := range words {
		if n++; n > maxShownRunes {
			b.WriteString("...")
			break
		}
		if unicode.IsPrint(r) {
			b.WriteRune(r)
		} else {
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

type labelled struct{ strings.Builder }

func (l *labelled) line(label, format string, args ...any) {
	fmt.Fprintf(l, "%-*s%s\n", widthOfLabels, label, fmt.Sprintf(format, args...))
}

// list has a line for each of a peer's names, up to a bound.
func (l *labelled) list(label string, names []string) {
	for i, name := range names {
		if i == maxShownNames {
			l.line("", "and %d more: --json has all", len(names)-i)
			return
		}
		l.line(label, "%s", shown(name))
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
	switch {
	case c.Passed == nil:
		return oneLine(c.Message)
	case *c.Passed && c.Enforced:
		return "ok: " + oneLine(c.Message)
	case *c.Passed:
		return "ok, not that it has to be: " + oneLine(c.Message)
	case !c.Enforced:
		return "wrong, which the properties leave out: " + oneLine(c.Message)
	}
	return "WRONG: " + oneLine(c.Message)
}

func (c clientCertificateInfo) text(verified bool) string {
	if c.Asked == nil {
		return "not known: the handshake did not come so far"
	}
	if !*c.Asked {
		return "not asked for"
	}
	text := "asked for, "
	switch {
	case c.Required == nil:
		text += "and whether it is required did not show"
	case *c.Required:
		text += "and required"
	default:
		text += "not required"
	}
	switch {
	case !c.Configured:
		return text + "; none is configured"
	case !c.Shown && !verified:
		return text + "; who is not verified is not shown the one that is configured"
	case c.Accepted == nil:
		return text + "; what the broker thinks of the one that is configured did not show"
	case *c.Accepted:
		return text + "; the one that is configured is accepted"
	}
	return text + "; the one that is configured is refused"
}

func (r resumptionInfo) text() string {
	switch {
	case !r.Ticket:
		return "no: the broker gave no session"
	case r.Resumed == nil:
		return "the broker gave a session; not tried"
	case *r.Resumed:
		return "yes"
	}
	return "no: the broker gave a session, and did not take it"
}

func (c *certificateInfo) text(b *labelled, title string) {
	b.line(title, "%s", shown(c.Subject))
	b.line("  issued by", "%s", shown(c.Issuer))
	b.list("  is for", c.names())
	const day = "2006-01-02 15:04:05 UTC"
	b.line("  valid", "from %s to %s: %s", c.NotBefore.Format(day), c.NotAfter.Format(day), c.left())
	authority := ""
	if c.Authority {
		authority = "; an authority"
	}
	b.line("  key", "%s, signed with %s%s", shown(c.Key), shown(c.Signature), authority)
	b.line("  serial", "%s", shown(c.Serial))
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

// left is what is left of a certificate's time.
func (c *certificateInfo) left() string {
	switch {
	case c.now.Before(c.NotBefore):
		return "BEGINS in " + span(secondsFrom(c.now, c.NotBefore))
	case c.now.After(c.NotAfter):
		return "EXPIRED " + span(secondsFrom(c.NotAfter, c.now)) + " ago"
	}
	return span(secondsFrom(c.now, c.NotAfter)) + " left"
}

// span is a time in the unit of which there are at least two.
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
