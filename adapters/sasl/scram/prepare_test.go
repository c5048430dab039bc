package scram

import (
	"context"
	"strings"
	"testing"

	"brokerconn/acceptance/hostile"
	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/sasl"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// preparedPerByte is the memory for each byte of a text that SASLprep reads: its characters, four bytes each, and
// what NFKC makes of them, which is up to eleven times as long (U+FDFA), in a buffer that grows, and once more as
// characters.
const preparedPerByte = 120

// longTexts are long names and passwords, and what RFC 4013 makes of each: "" if it refuses it.
func longTexts() map[string]struct{ text, want string } {
	const n = 1 << 16
	repeat := func(s string) string { return strings.Repeat(s, n/len(s)) }
	letters := repeat("a")
	return map[string]struct{ text, want string }{
		"letters":                           {letters, letters},
		"soft hyphens alone":                {repeat("\u00ad"), ""}, // mapped to nothing (section 2.1), and empty
		"a letter behind soft hyphens":      {repeat("\u00ad") + "a", "a"},
		"ideographic spaces":                {repeat("\u3000"), strings.Repeat(" ", n/3)},
		"a control character at the end":    {letters + "\u0007", ""}, // section 2.3
		"private use":                       {repeat("\ue000"), ""},
		"tags":                              {repeat("\U000e0041"), ""},
		"unassigned in Unicode 3.2, emoji":  {repeat("\U0001f511"), ""}, // section 2.5
		"a ligature of eighteen characters": {repeat("\ufdfa"), strings.Repeat(salla, n/3)},
		"letters behind Arabic ones":        {"\u0627" + letters, ""}, // section 2.4
		"an Arabic letter behind letters":   {letters + "\u0627", ""},
		"Arabic digits at the end":          {repeat("\u0627") + "1", ""},
		"accents without a letter":          {"a" + repeat("\u0301"), anyText},
		"accents in the wrong order":        {"a" + repeat("\u0301\u0316"), anyText},
		"Hangul in parts":                   {repeat("\u1100\u1161"), repeat("\uac00")[:n/6*3]},
		"Roman numerals":                    {repeat("\u2168"), strings.Repeat("IX", n/3)},
	}
}

const (
	// salla is what UnicodeData.txt has as the decomposition of U+FDFA.
	salla = "\u0635\u0644\u0649 \u0627\u0644\u0644\u0647 \u0639\u0644\u064a\u0647 \u0648\u0633\u0644\u0645"
	// anyText is for texts of which only the cost is known: UAX #15, section 13, lets implementations split them.
	anyText = "*"
)

// TestLongTextsArePrepared: whatever a name or a password is made of, it costs memory by its length,
// becomes what the RFC says, and an error shows nothing of the password.
func TestLongTextsArePrepared(t *testing.T) {
	for name, c := range longTexts() {
		var got string
		var err error
		hostile.Bounded(t, name, []byte(c.text), preparedPerByte, func() { got, err = prepareText("Username", c.text) })
		if (err == nil) != (c.want != "") || c.want != anyText && got != c.want {
			t.Errorf("%s: got %.40q of %d bytes, %v, want %.40q of %d", name, got, len(got), err, c.want, len(c.want))
		}
		ask := func(context.Context) (sasl.Credentials, error) {
			return sasl.Credentials{Username: "alice", Password: ports.NewSecret(canary + c.text + "x")}, nil
		}
		a := newScram(SHA256, Options{Runner: saslpeer.Inline, Prepare: true, Credentials: ask})
		if err := logIn(a, theirs().serve()()); err == nil {
			t.Errorf("%s: got a login with another password, want an error", name)
		} else {
			porttest.NoSecrets(t, name, err, canary)
			saslpeer.OneLine(t, err, 200)
		}
	}
}
