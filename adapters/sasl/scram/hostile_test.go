package scram

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"brokerconn/ports/porttest"
)

const goodSalt = "c2l4dGVlbiBieXRlcyBvZg=="

// firsts are what a broker may say first; NONCE is the client's.
var firsts = []struct {
	name, message string
	reason        Reason
	words         string
}{
	{"too few", "r=NONCEx,s=" + goodSalt + ",i=4095", IterationsTooLow, "4095, and at least 4096"},
	{"one", "r=NONCEx,s=" + goodSalt + ",i=1", IterationsTooLow, "1, and"},
	{"too many", "r=NONCEx,s=" + goodSalt + ",i=1000001", IterationsTooHigh, "1000001, and at most 1000000 are allowed"},
	{"2^31", "r=NONCEx,s=" + goodSalt + ",i=2147483648", IterationsTooHigh, "2147483648"},
	{"2^32+4096, which is 4096 in 32 bits", "r=NONCEx,s=" + goodSalt + ",i=4294971392", IterationsTooHigh, "4294971392"},
	{"2^64+4096, which is 4096 in 64 bits", "r=NONCEx,s=" + goodSalt + ",i=18446744073709555712", IterationsTooHigh, "a number of 20 digits"},
	{"a thousand digits", "r=NONCEx,s=" + goodSalt + ",i=" + strings.Repeat("9", 1000), IterationsTooHigh, "a number of 1000 digits"},
	{"zero", "r=NONCEx,s=" + goodSalt + ",i=0", Malformed, "not a number"},
	{"a leading zero", "r=NONCEx,s=" + goodSalt + ",i=04096", Malformed, "not a number"},
	{"a plus sign", "r=NONCEx,s=" + goodSalt + ",i=+4096", Malformed, "not a number"},
	{"a minus sign", "r=NONCEx,s=" + goodSalt + ",i=-4096", Malformed, "not a number"},
	{"a fraction", "r=NONCEx,s=" + goodSalt + ",i=4096.0", Malformed, "not a number"},
	{"an exponent", "r=NONCEx,s=" + goodSalt + ",i=4e4", Malformed, "not a number"},
	{"hexadecimal", "r=NONCEx,s=" + goodSalt + ",i=0x2000", Malformed, "not a number"},
	{"an underscore", "r=NONCEx,s=" + goodSalt + ",i=4_096", Malformed, "not a number"},
	{"a blank", "r=NONCEx,s=" + goodSalt + ",i= 4096", Malformed, "not a number"},
	{"a line end", "r=NONCEx,s=" + goodSalt + ",i=4096\n", Malformed, "not a number"},
	{"other digits", "r=NONCEx,s=" + goodSalt + ",i=４０９６", Malformed, "not a number"},
	{"no count", "r=NONCEx,s=" + goodSalt + ",i=", Malformed, "not name=value"},
	{"no count at all", "r=NONCEx,s=" + goodSalt, Malformed, "is not nonce, salt and iteration count"},
	{"two counts", "r=NONCEx,s=" + goodSalt + ",i=4096,i=4097", Malformed, "twice"},
	{"two nonces", "r=NONCEx,s=" + goodSalt + ",i=4096,r=NONCEy", Malformed, "twice"},
	{"another order", "s=" + goodSalt + ",r=NONCEx,i=4096", Malformed, "is not nonce, salt and iteration count"},
	{"something before", "x=y,r=NONCEx,s=" + goodSalt + ",i=4096", Malformed, "is not nonce, salt and iteration count"},
	{"an extension between", "r=NONCEx,x=y,s=" + goodSalt + ",i=4096", Malformed, "is not nonce, salt and iteration count"},

	{"another nonce", "r=fyko+d2lbbFgONRv9qkxdawLx,s=" + goodSalt + ",i=4096", BadNonce, "does not begin with the client's"},
	{"the client's nonce alone", "r=NONCE,s=" + goodSalt + ",i=4096", BadNonce, "nothing of the broker's"},
	{"the client's nonce behind", "r=xNONCE,s=" + goodSalt + ",i=4096", BadNonce, "does not begin with the client's"},
	{"a blank in the nonce", "r=NONCE x,s=" + goodSalt + ",i=4096", Malformed, "characters in the nonce"},
	{"a nonce beyond ASCII", "r=NONCEé,s=" + goodSalt + ",i=4096", Malformed, "characters in the nonce"},

	{"no salt", "r=NONCEx,s=,i=4096", Malformed, "not name=value"},
	{"a salt that is not base64", "r=NONCEx,s=!,i=4096", Malformed, "salt is not base64"},
	{"a salt without padding", "r=NONCEx,s=" + strings.TrimRight(goodSalt, "=") + ",i=4096", Malformed, "salt is not base64"},
	{"a salt with a line end", "r=NONCEx,s=c2l4\ndGVlbiBieXRlcyBvZg==,i=4096", Malformed, "salt is not base64"},
	{"a salt with spare bits", "r=NONCEx,s=c2l4dGVlbiBieXRlcyBvZh==,i=4096", Malformed, "salt is not base64"},
	{"a salt of 64 KiB", "r=NONCEx,s=" + strings.Repeat("A", 1<<16) + ",i=4096", Malformed, "and 4096 is plenty"},

	{"an extension that must be known", "m=x,r=NONCEx,s=" + goodSalt + ",i=4096", UnknownExtension, ""},
	{"the same, at the end", "r=NONCEx,s=" + goodSalt + ",i=4096,m=x", UnknownExtension, ""},
	{"an error", "e=other-error", ServerError, `"other-error"`},
	{"an error and more", "e=unknown-user,r=NONCEx,s=" + goodSalt + ",i=4096", ServerError, `"unknown-user"`},
	{"a control sequence", "e=\x1b[2J" + strings.Repeat("é", 100), ServerError, `"\x1b[2J`},
	{"its last message", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", Malformed, "is not nonce, salt and iteration count"},
	{"nothing", "", Malformed, "an empty message"},
	{"commas", ",,,", Malformed, "not name=value"},
	{"NUL", "r=NONCEx\x00,s=" + goodSalt + ",i=4096", Malformed, "not text"},
	{"not UTF-8", "r=NONCEx\xff,s=" + goodSalt + ",i=4096", Malformed, "not text"},
	{"JSON", `{"status":"invalid_token"}`, Malformed, "not name=value"},
	{"garbage", "\x16\x03\x01\x02\x00", Malformed, "not text"},
}

// A broker that says one of these is refused before a key is derived, and nothing
// more is sent.
func TestHostileFirst(t *testing.T) {
	for _, token := range []bool{false, true} {
		for _, c := range firsts {
			o := alice()
			o.DelegationToken = token
			a, derivations := counted(t, SHA256, o)
			heard := 0
			done, err := converse(a, func(response []byte) ([]byte, error) {
				if heard++; heard > 1 {
					return nil, fmt.Errorf("it hears of %q", response)
				}
				return []byte(strings.ReplaceAll(c.message, "NONCE", nonceOf(response))), nil
			})
			wantReason(t, c.name, done, err, c.reason, c.words)
			if n := derivations.Load(); n != 0 {
				t.Errorf("%s: %d derivations", c.name, n)
			}
		}
	}
}

func nonceOf(clientFirst []byte) string {
	_, nonce, _ := strings.Cut(string(clientFirst), ",r=")
	nonce, _, _ = strings.Cut(nonce, ",")
	return nonce
}

func wantReason(t *testing.T, name string, done bool, err error, reason Reason, words string) {
	t.Helper()
	var e *Error
	if done || !errors.As(err, &e) || e.Reason != reason || !strings.Contains(e.Error(), words) {
		t.Errorf("%s: %v %v, want %v, %q", name, done, err, reason, words)
	}
	if err != nil && (len(err.Error()) > 200 || strings.ContainsAny(err.Error(), "\x1b\n")) {
		t.Errorf("%s: an error of %d bytes: %q", name, len(err.Error()), err)
	}
	porttest.NoSecrets(t, name, err, canary)
}

// Extensions that need not be known are passed over (RFC 5802, section 5.1), at both
// places.
func TestExtensionsArePassedOver(t *testing.T) {
	a, serve := newScram(t, SHA256, alice()), theirs().serve(t)
	for _, extension := range []string{",x=y", ",xy=1,Z=a=b"} {
		server := serve()
		heard := 0
		done, err := converse(a, func(response []byte) ([]byte, error) {
			challenge, err := server(response)
			if heard++; heard == 2 {
				challenge = append(challenge, extension...)
			}
			return challenge, err
		})
		if !done || err != nil {
			t.Errorf("in the last message: %v %v", done, err)
		}
		_, err = parseFirst("r=abc,s="+goodSalt+",i=4096"+extension, "ab", 4096)
		if err != nil {
			t.Errorf("in the first message: %v", err)
		}
	}
}

// Behind a first message that was right, a broker that does not know the password.
func TestHostileFinal(t *testing.T) {
	signature := func(v []byte) []byte { // of v=...
		raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(string(v), "v="))
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	sign := func(raw []byte) string { return "v=" + base64.StdEncoding.EncodeToString(raw) }
	serve := theirs().serve(t)
	authenticators := map[bool]*Authenticator{}
	for _, token := range []bool{false, true} {
		o := alice()
		o.DelegationToken = token
		authenticators[token] = newScram(t, SHA256, o)
	}
	for _, c := range []struct {
		name   string
		final  func(right []byte) string
		reason Reason
		words  string
	}{
		{"the first bit", func(v []byte) string { s := signature(v); s[0] ^= 0x80; return sign(s) }, BadSignature, ""},
		{"the last bit", func(v []byte) string { s := signature(v); s[len(s)-1] ^= 1; return sign(s) }, BadSignature, ""},
		{"cut short", func(v []byte) string { return sign(signature(v)[:31]) }, BadSignature, ""},
		{"one byte", func(v []byte) string { return sign(signature(v)[:1]) }, BadSignature, ""},
		{"longer", func(v []byte) string { return sign(append(signature(v), 0)) }, BadSignature, ""},
		{"zeros", func([]byte) string { return sign(make([]byte, 32)) }, BadSignature, ""},
		{"no signature", func([]byte) string { return "v=" }, Malformed, "not name=value"},
		{"not base64", func(v []byte) string { return string(v) + "!" }, Malformed, "not base64"},
		{"a line end", func(v []byte) string { return string(v) + "\n" }, Malformed, "not base64"},
		{"twice", func(v []byte) string { return string(v) + "," + string(v) }, Malformed, "twice"},
		{"NUL behind", func(v []byte) string { return string(v) + "\x00" }, Malformed, "not text"},
		{"something before", func(v []byte) string { return "x=y," + string(v) }, Malformed, "no signature"},
		{"an extension that must be known", func(v []byte) string { return string(v) + ",m=x" }, UnknownExtension, ""},
		{"an error beside it", func(v []byte) string { return "e=other-error," + string(v) }, ServerError, `"other-error"`},
		{"an error", func([]byte) string { return "e=other-error" }, ServerError, `"other-error"`},
		{"nothing", func([]byte) string { return "" }, MissingFinal, ""},
		{"garbage", func([]byte) string { return "\xff\x00" }, Malformed, "not text"},
		{"its first message again", func([]byte) string { return "r=x,s=" + goodSalt + ",i=4096" }, Malformed, "no signature"},
		{"64 KiB", func([]byte) string { return "v=" + strings.Repeat("A", 1<<16) }, Malformed, "plenty"},
	} {
		for _, a := range authenticators {
			server := serve()
			heard := 0
			done, err := converse(a, func(response []byte) ([]byte, error) {
				challenge, err := server(response)
				if heard++; heard == 2 {
					challenge = []byte(c.final(challenge))
				}
				return challenge, err
			})
			wantReason(t, c.name, done, err, c.reason, c.words)
			if heard != 2 {
				t.Errorf("%s: the broker heard %d messages", c.name, heard)
			}
		}
	}
}

// A broker that signs a token's login as if it had not been said to be one has not
// understood what it signs.
func TestATokensSignatureCoversTheExtension(t *testing.T) {
	o := alice()
	o.DelegationToken = true
	a := newScram(t, SHA256, o)
	stored := theirs().stored(t)
	heard, bare, first := 0, "", ""
	done, err := converse(a, func(response []byte) ([]byte, error) {
		if heard++; heard == 1 {
			bare = strings.TrimSuffix(strings.TrimPrefix(string(response), "n,,"), tokenExtension)
			first = "r=" + nonceOf(response) + "x,s=" + goodSalt + ",i=4096"
			return []byte(first), nil
		}
		unproven, _, _ := strings.Cut(string(response), ",p=")
		l := tokenLogin{hash: hashes[SHA256].generate}
		return []byte("v=" + base64.StdEncoding.EncodeToString(l.mac(stored.ServerKey, bare+","+first+","+unproven))), nil
	})
	wantReason(t, "the signature", done, err, BadSignature, "")
}

func TestTheCapIsTheUsers(t *testing.T) {
	for _, c := range []struct {
		max, iterations int
		reason          Reason
	}{{5000, 5000, Other}, {5000, 5001, IterationsTooHigh}, {4096, 4096, Other}, {4096, 4097, IterationsTooHigh}, {0, 20000, Other}} {
		o, p := alice(), theirs()
		o.MaxIterations, p.factors.Iters = c.max, c.iterations
		a, derivations := counted(t, SHA256, o)
		done, err := converse(a, p.serve(t)())
		if c.reason != Other {
			wantReason(t, fmt.Sprint(c), done, err, c.reason, fmt.Sprintf("at most %d", c.max))
		} else if !done || err != nil {
			t.Errorf("%v: %v %v", c, done, err)
		}
		if n := derivations.Load(); (n == 1) != (c.reason == Other) {
			t.Errorf("%v: %d derivations", c, n)
		}
	}
}

// Every reason has its words, and no error shows more than it should.
func TestErrors(t *testing.T) {
	for r := Other; int(r) < len(reasons); r++ {
		e := &Error{Reason: r}
		if e.Error() == "" || r.String() == "" || strings.Contains(r.String(), " ") {
			t.Errorf("%d: %q %q", r, r, e)
		}
	}
	if got := Reason(200).String(); got != "unknown reason 200" {
		t.Error(got)
	}
	for _, c := range []struct {
		err        *Error
		text, hint string
	}{
		{&Error{Err: errors.New("of the library")}, "scram: the login failed: of the library", ""},
		{&Error{Reason: ServerError, Detail: words("invalid-proof")}, `scram: the broker refused the login: "invalid-proof"`, "is the password right?"},
		{&Error{Reason: ServerError, Detail: words("other-error")}, `scram: the broker refused the login: "other-error"`, ""},
		{&Error{Reason: IterationsTooHigh}, "scram: the broker asks for too many iterations", "if that count is meant, allow it: MaxIterations"},
	} {
		if c.err.Error() != c.text || c.err.Hint() != c.hint {
			t.Errorf("%q %q", c.err, c.err.Hint())
		}
	}
}
