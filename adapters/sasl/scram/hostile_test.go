package scram

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"brokerconn/ports/porttest"
)

const (
	goodSalt = "c2l4dGVlbiBieXRlcyBvZg=="
	good     = "r=NONCEx,s=" + goodSalt + ",i=" // and the count
)

// firsts are first messages of a broker; NONCE is the client nonce.
var firsts = []struct {
	name, message string
	reason        Reason
	text          string
}{
	{"too few", good + "4095", IterationsTooLow, "4095, the minimum is 4096"},
	{"one", good + "1", IterationsTooLow, "1, the minimum"},
	{"too many", good + "1000001", IterationsTooHigh, "1000001, the limit is 1000000"},
	{"2^31", good + "2147483648", IterationsTooHigh, "2147483648"},
	{"2^32+4096, which is 4096 in 32 bits", good + "4294971392", IterationsTooHigh, "4294971392"},
	{"2^64+4096, which is 4096 in 64 bits", good + "18446744073709555712", IterationsTooHigh, "a number of 20 digits"},
	{"a thousand digits", good + strings.Repeat("9", 1000), IterationsTooHigh, "a number of 1000 digits"},
	{"zero", good + "0", Malformed, "not a number"},
	{"a leading zero", good + "04096", Malformed, "not a number"},
	{"a plus sign", good + "+4096", Malformed, "not a number"},
	{"a minus sign", good + "-4096", Malformed, "not a number"},
	{"a fraction", good + "4096.0", Malformed, "not a number"},
	{"an exponent", good + "4e4", Malformed, "not a number"},
	{"hexadecimal", good + "0x2000", Malformed, "not a number"},
	{"an underscore", good + "4_096", Malformed, "not a number"},
	{"a space", good + " 4096", Malformed, "not a number"},
	{"a line end", good + "4096\n", Malformed, "not a number"},
	{"other digits", good + "４０９６", Malformed, "not a number"},
	{"no count", good, Malformed, "not name=value"},
	{"no count at all", "r=NONCEx,s=" + goodSalt, Malformed, "is not nonce, salt and iteration count"},
	{"two counts", good + "4096,i=4097", Malformed, "is repeated"},
	{"two nonces", good + "4096,r=NONCEy", Malformed, "is repeated"},
	{"another order", "s=" + goodSalt + ",r=NONCEx,i=4096", Malformed, "is not nonce, salt and iteration count"},
	{"an attribute before", "x=y,r=NONCEx,s=" + goodSalt + ",i=4096", Malformed,
		"is not nonce, salt and iteration count"},
	{"an extension between", "r=NONCEx,x=y,s=" + goodSalt + ",i=4096", Malformed,
		"is not nonce, salt and iteration count"},

	{"another nonce", "r=fyko+d2lbbFgONRv9qkxdawLx,s=" + goodSalt + ",i=4096", BadNonce,
		"does not extend the client nonce"},
	{"the client's nonce alone", "r=NONCE,s=" + goodSalt + ",i=4096", BadNonce, "the client nonce alone"},
	{"the client's nonce behind", "r=xNONCE,s=" + goodSalt + ",i=4096", BadNonce, "does not extend the client nonce"},
	{"a space in the nonce", "r=NONCE x,s=" + goodSalt + ",i=4096", Malformed, "invalid characters in the nonce"},
	{"a nonce beyond ASCII", "r=NONCEé,s=" + goodSalt + ",i=4096", Malformed, "invalid characters in the nonce"},

	{"no salt", "r=NONCEx,s=,i=4096", Malformed, "not name=value"},
	{"a salt that is not base64", "r=NONCEx,s=!,i=4096", Malformed, "salt is not base64"},
	{"a salt without padding", "r=NONCEx,s=" + strings.TrimRight(goodSalt, "=") + ",i=4096", Malformed,
		"salt is not base64"},
	{"a salt with a line end", "r=NONCEx,s=c2l4\ndGVlbiBieXRlcyBvZg==,i=4096", Malformed, "salt is not base64"},
	{"a salt with spare bits", "r=NONCEx,s=c2l4dGVlbiBieXRlcyBvZh==,i=4096", Malformed, "salt is not base64"},
	{"a salt of 64 KiB", "r=NONCEx,s=" + strings.Repeat("A", 1<<16) + ",i=4096", Malformed, "the limit is 4096"},

	{"a mandatory extension", "m=x,r=NONCEx,s=" + goodSalt + ",i=4096", UnknownExtension, ""},
	{"the same, at the end", good + "4096,m=x", UnknownExtension, ""},
	{"an error", "e=other-error", ServerError, `"other-error"`},
	{"an error and more", "e=unknown-user,r=NONCEx,s=" + goodSalt + ",i=4096", ServerError, `"unknown-user"`},
	{"a control sequence", "e=\x1b[2J" + strings.Repeat("é", 100), ServerError, `"\x1b[2J`},
	{"its last message", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", Malformed,
		"is not nonce, salt and iteration count"},
	{"empty", "", Malformed, "empty message"},
	{"commas", ",,,", Malformed, "not name=value"},
	{"NUL", "r=NONCEx\x00,s=" + goodSalt + ",i=4096", Malformed, "not UTF-8, or a NUL"},
	{"not UTF-8", "r=NONCEx\xff,s=" + goodSalt + ",i=4096", Malformed, "not UTF-8, or a NUL"},
	{"JSON", `{"status":"invalid_token"}`, Malformed, "not name=value"},
	{"garbage", "\x16\x03\x01\x02\x00", Malformed, "not UTF-8, or a NUL"},
}

// A broker with one of these messages is refused before a key is derived, and nothing
// more is sent.
func TestHostileFirst(t *testing.T) {
	for _, token := range []bool{false, true} {
		for _, c := range firsts {
			o := alice()
			o.DelegationToken = token
			a, derivations := counted(t, SHA256, o)
			messages := 0
			done, err := converse(a, func(response []byte) ([]byte, error) {
				if messages++; messages > 1 {
					return nil, fmt.Errorf("got a message after the refusal: %q", response)
				}
				return []byte(strings.ReplaceAll(c.message, "NONCE", nonceOf(response))), nil
			})
			wantReason(t, c.name, done, err, c.reason, c.text)
			if n := derivations.Load(); n != 0 {
				t.Errorf("%s: got %d derivations, want 0", c.name, n)
			}
		}
	}
}

func nonceOf(clientFirst []byte) string {
	_, nonce, _ := strings.Cut(string(clientFirst), ",r=")
	nonce, _, _ = strings.Cut(nonce, ",")
	return nonce
}

func wantReason(t *testing.T, name string, done bool, err error, reason Reason, text string) {
	t.Helper()
	var e *Error
	if done || !errors.As(err, &e) || e.Reason != reason || !strings.Contains(e.Error(), text) {
		t.Errorf("%s: got %v, %v, want %v with %q", name, done, err, reason, text)
	}
	if err != nil && (len(err.Error()) > 200 || strings.ContainsAny(err.Error(), "\x1b\n")) {
		t.Errorf("%s: got an error of %d bytes, or more than one line: %q", name, len(err.Error()), err)
	}
	porttest.NoSecrets(t, name, err, canary)
}

// Optional extensions are ignored in both messages (RFC 5802, section 5.1).
func TestOptionalExtensionsAreIgnored(t *testing.T) {
	a, serve := newScram(t, SHA256, alice()), theirs().serve(t)
	for _, extension := range []string{",x=y", ",xy=1,Z=a=b"} {
		server := serve()
		messages := 0
		done, err := converse(a, func(response []byte) ([]byte, error) {
			challenge, err := server(response)
			if messages++; messages == 2 {
				challenge = append(challenge, extension...)
			}
			return challenge, err
		})
		if !done || err != nil {
			t.Errorf("last message: got %v, %v, want a login", done, err)
		}
		_, err = parseFirst("r=abc,s="+goodSalt+",i=4096"+extension, "ab", 4096)
		if err != nil {
			t.Errorf("first message: got %v, want no error", err)
		}
	}
}

// The first message is right, the last one not.
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
		text   string
	}{
		{"the first bit", func(v []byte) string { s := signature(v); s[0] ^= 0x80; return sign(s) }, BadSignature, ""},
		{"the last bit", func(v []byte) string { s := signature(v); s[len(s)-1] ^= 1; return sign(s) }, BadSignature,
			""},
		{"cut short", func(v []byte) string { return sign(signature(v)[:31]) }, BadSignature, ""},
		{"one byte", func(v []byte) string { return sign(signature(v)[:1]) }, BadSignature, ""},
		{"longer", func(v []byte) string { return sign(append(signature(v), 0)) }, BadSignature, ""},
		{"zeros", func([]byte) string { return sign(make([]byte, 32)) }, BadSignature, ""},
		{"no signature", func([]byte) string { return "v=" }, Malformed, "not name=value"},
		{"not base64", func(v []byte) string { return string(v) + "!" }, Malformed, "not base64"},
		{"a line end", func(v []byte) string { return string(v) + "\n" }, Malformed, "not base64"},
		{"twice", func(v []byte) string { return string(v) + "," + string(v) }, Malformed, "is repeated"},
		{"NUL behind", func(v []byte) string { return string(v) + "\x00" }, Malformed, "not UTF-8, or a NUL"},
		{"an attribute before", func(v []byte) string { return "x=y," + string(v) }, Malformed, "no signature"},
		{"a mandatory extension", func(v []byte) string { return string(v) + ",m=x" }, UnknownExtension, ""},
		{"an error beside it", func(v []byte) string { return "e=other-error," + string(v) }, ServerError,
			`"other-error"`},
		{"an error", func([]byte) string { return "e=other-error" }, ServerError, `"other-error"`},
		{"nothing", func([]byte) string { return "" }, MissingFinal, ""},
		{"garbage", func([]byte) string { return "\xff\x00" }, Malformed, "not UTF-8, or a NUL"},
		{"its first message again", func([]byte) string { return "r=x,s=" + goodSalt + ",i=4096" }, Malformed,
			"no signature"},
		{"64 KiB", func([]byte) string { return "v=" + strings.Repeat("A", 1<<16) }, Malformed, "the limit is 4096"},
	} {
		for _, a := range authenticators {
			server := serve()
			messages := 0
			done, err := converse(a, func(response []byte) ([]byte, error) {
				challenge, err := server(response)
				if messages++; messages == 2 {
					challenge = []byte(c.final(challenge))
				}
				return challenge, err
			})
			wantReason(t, c.name, done, err, c.reason, c.text)
			if messages != 2 {
				t.Errorf("%s: got %d messages, want 2", c.name, messages)
			}
		}
	}
}

// A broker's signature without the extension is not valid for a delegation token.
func TestTokenSignatureCoversExtension(t *testing.T) {
	o := alice()
	o.DelegationToken = true
	a := newScram(t, SHA256, o)
	stored := theirs().stored(t)
	messages, bare, first := 0, "", ""
	done, err := converse(a, func(response []byte) ([]byte, error) {
		if messages++; messages == 1 {
			bare = strings.TrimSuffix(strings.TrimPrefix(string(response), "n,,"), tokenExtension)
			first = "r=" + nonceOf(response) + "x,s=" + goodSalt + ",i=4096"
			return []byte(first), nil
		}
		unproven, _, _ := strings.Cut(string(response), ",p=")
		l := tokenLogin{hash: hashes[SHA256].generate}
		return []byte("v=" + base64.StdEncoding.EncodeToString(l.mac(stored.ServerKey, bare+","+first+","+unproven))),
			nil
	})
	wantReason(t, "the signature", done, err, BadSignature, "")
}

func TestTheCapIsTheUsers(t *testing.T) {
	for _, c := range []struct {
		max, iterations int
		reason          Reason
	}{{5000, 5000, Other}, {5000, 5001, IterationsTooHigh}, {4096, 4096, Other}, {4096, 4097, IterationsTooHigh},
		{0, 20000, Other}} {
		o, p := alice(), theirs()
		o.MaxIterations, p.factors.Iters = c.max, c.iterations
		a, derivations := counted(t, SHA256, o)
		done, err := converse(a, p.serve(t)())
		if c.reason != Other {
			wantReason(t, fmt.Sprint(c), done, err, c.reason, fmt.Sprintf("the limit is %d", c.max))
		} else if !done || err != nil {
			t.Errorf("%v: got %v, %v, want a login", c, done, err)
		}
		if n := derivations.Load(); (n == 1) != (c.reason == Other) {
			t.Errorf("%v: got %d derivations", c, n)
		}
	}
}

func TestErrorTexts(t *testing.T) {
	for r := Other; int(r) < len(kinds); r++ {
		e := &Error{Reason: r}
		if e.Error() == "" || r.String() == "" || strings.Contains(r.String(), " ") {
			t.Errorf("reason %d: got the name %q and the text %q", r, r, e)
		}
	}
	for _, c := range []struct {
		err        *Error
		text, hint string
	}{
		{&Error{Err: errors.New("of the library")}, "scram: the login failed: of the library", ""},
		{&Error{Reason: ServerError, Detail: `"invalid-proof"`}, `scram: the broker rejects the login: "invalid-proof"`,
			"check the password"},
		{&Error{Reason: ServerError, Detail: `"other-error"`}, `scram: the broker rejects the login: "other-error"`,
			""},
		{&Error{Reason: IterationsTooHigh}, "scram: the broker requests too many iterations",
			"if the count is intended, raise Options.MaxIterations"},
	} {
		if c.err.Error() != c.text || c.err.Hint() != c.hint {
			t.Errorf("got %q and the hint %q, want %q and %q", c.err, c.err.Hint(), c.text, c.hint)
		}
	}
}
