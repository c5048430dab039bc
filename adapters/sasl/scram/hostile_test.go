package scram

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/ports/porttest"
)

const (
	goodSalt = "c2l4dGVlbiBieXRlcyBvZg=="
	good     = "r=NONCEx,s=" + goodSalt + ",i=" // and the count
	behind   = ",s=" + goodSalt + ",i=4096"     // a nonce

	order   = "is not nonce, salt and iteration count"
	not64   = "salt is not base64"
	notText = "not UTF-8, or a NUL"
	extends = "does not extend the client nonce"
	visible = "invalid characters in the nonce"
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
	{"no count at all", "r=NONCEx,s=" + goodSalt, Malformed, order},
	{"two counts", good + "4096,i=4097", Malformed, "is repeated"},
	{"two nonces", good + "4096,r=NONCEy", Malformed, "is repeated"},
	{"another order", "s=" + goodSalt + ",r=NONCEx,i=4096", Malformed, order},
	{"an attribute before", "x=y,r=NONCEx" + behind, Malformed, order},
	{"an extension between", "r=NONCEx,x=y" + behind, Malformed, order},

	{"another nonce", "r=fyko+d2lbbFgONRv9qkxdawLx" + behind, BadNonce, extends},
	{"the client's nonce alone", "r=NONCE" + behind, BadNonce, "the client nonce alone"},
	{"the client's nonce behind", "r=xNONCE" + behind, BadNonce, extends},
	{"a space in the nonce", "r=NONCE x" + behind, Malformed, visible},
	{"a nonce beyond ASCII", "r=NONCEé" + behind, Malformed, visible},

	{"no salt", "r=NONCEx,s=,i=4096", Malformed, "not name=value"},
	{"a salt that is not base64", "r=NONCEx,s=!,i=4096", Malformed, not64},
	{"a salt without padding", "r=NONCEx,s=" + strings.TrimRight(goodSalt, "=") + ",i=4096", Malformed, not64},
	{"a salt with a line end", "r=NONCEx,s=c2l4\ndGVlbiBieXRlcyBvZg==,i=4096", Malformed, not64},
	{"a salt with spare bits", "r=NONCEx,s=c2l4dGVlbiBieXRlcyBvZh==,i=4096", Malformed, not64},
	{"a salt of 64 KiB", "r=NONCEx,s=" + strings.Repeat("A", 1<<16) + ",i=4096", Malformed, "the limit is 4096"},

	{"a mandatory extension", "m=x,r=NONCEx" + behind, UnknownExtension, ""},
	{"the same, at the end", good + "4096,m=x", UnknownExtension, ""},
	{"an error", "e=other-error", ServerError, `"other-error"`},
	{"an error and more", "e=unknown-user,r=NONCEx" + behind, ServerError, `"unknown-user"`},
	{"a control sequence", "e=\x1b[2J" + strings.Repeat("é", 100), ServerError, `"\x1b[2J`},
	{"its last message", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", Malformed, order},
	{"empty", "", Malformed, "empty message"},
	{"commas", ",,,", Malformed, "not name=value"},
	{"NUL", "r=NONCEx\x00" + behind, Malformed, notText},
	{"not UTF-8", "r=NONCEx\xff" + behind, Malformed, notText},
	{"JSON", `{"status":"invalid_token"}`, Malformed, "not name=value"},
	{"garbage", "\x16\x03\x01\x02\x00", Malformed, notText},
}

// A broker with one of these messages is refused before a key is derived, and nothing
// more is sent.
func TestHostileFirst(t *testing.T) {
	for _, token := range []bool{false, true} {
		for _, c := range firsts {
			o := alice()
			o.DelegationToken = token
			a, derivations := counted(SHA256, o)
			messages := 0
			err := logIn(a, func(response []byte) ([]byte, error) {
				if messages++; messages > 1 {
					return nil, fmt.Errorf("got a message after the refusal: %q", response)
				}
				return []byte(strings.ReplaceAll(c.message, "NONCE", nonceOf(string(response)))), nil
			})
			wantReason(t, c.name, err, c.reason, c.text)
			wantDerived(t, derivations, 0)
		}
	}
}

func nonceOf(clientFirst string) string {
	_, nonce, _ := strings.Cut(clientFirst, ",r=")
	nonce, _, _ = strings.Cut(nonce, ",")
	return nonce
}

func wantReason(t *testing.T, name string, err error, reason Reason, text string) {
	t.Helper()
	if e, ok := errors.AsType[*Error](err); !ok || e.Reason != reason || !strings.Contains(e.Error(), text) {
		t.Errorf("%s: got %v, want %v with %q", name, err, reason, text)
		return
	}
	saslpeer.OneLine(t, err, 200)
	porttest.NoSecrets(t, name, err, canary)
}

// altered changes a broker's last message and counts the messages.
func altered(broker saslpeer.Broker, messages *int, change func(right string) string) saslpeer.Broker {
	return func(response []byte) ([]byte, error) {
		challenge, err := broker(response)
		if *messages++; *messages == 2 {
			challenge = []byte(change(string(challenge)))
		}
		return challenge, err
	}
}

// Optional extensions are ignored in both messages (RFC 5802, section 5.1).
func TestOptionalExtensionsAreIgnored(t *testing.T) {
	a, serve := newScram(SHA256, alice()), theirs().serve()
	for _, extension := range []string{",x=y", ",xy=1,Z=a=b"} {
		extended := func(right string) string { return right + extension }
		saslpeer.ErrorIs(t, "last message", logIn(a, altered(serve(), new(int), extended)), nil)
		saslpeer.ErrorIs(t, "first message", saslpeer.Err(parseFirst("r=abc"+behind+extension, "ab", 4096)), nil)
	}
}

// The first message is right, the last one not.
func TestHostileFinal(t *testing.T) {
	for _, c := range []struct {
		name    string
		message string                // with RIGHT for the right one
		sign    func(s []byte) []byte // instead: what is sent of the right signature
		reason  Reason
		text    string
	}{
		{"the first bit", "", func(s []byte) []byte { s[0] ^= 0x80; return s }, BadSignature, ""},
		{"the last bit", "", func(s []byte) []byte { s[len(s)-1] ^= 1; return s }, BadSignature, ""},
		{"cut short", "", func(s []byte) []byte { return s[:31] }, BadSignature, ""},
		{"one byte", "", func(s []byte) []byte { return s[:1] }, BadSignature, ""},
		{"longer", "", func(s []byte) []byte { return append(s, 0) }, BadSignature, ""},
		{"zeros", "", func([]byte) []byte { return make([]byte, 32) }, BadSignature, ""},
		{"no signature", "v=", nil, Malformed, "not name=value"},
		{"not base64", "RIGHT!", nil, Malformed, "not base64"},
		{"a line end", "RIGHT\n", nil, Malformed, "not base64"},
		{"twice", "RIGHT,RIGHT", nil, Malformed, "is repeated"},
		{"NUL behind", "RIGHT\x00", nil, Malformed, notText},
		{"an attribute before", "x=y,RIGHT", nil, Malformed, "no signature"},
		{"a mandatory extension", "RIGHT,m=x", nil, UnknownExtension, ""},
		{"an error beside it", "e=other-error,RIGHT", nil, ServerError, `"other-error"`},
		{"an error", "e=other-error", nil, ServerError, `"other-error"`},
		{"nothing", "", nil, MissingFinal, ""},
		{"garbage", "\xff\x00", nil, Malformed, notText},
		{"its first message again", "r=x" + behind, nil, Malformed, "no signature"},
		{"64 KiB", "v=" + strings.Repeat("A", 1<<16), nil, Malformed, "the limit is 4096"},
	} {
		for _, token := range []bool{false, true} {
			o, messages := alice(), 0
			o.DelegationToken = token
			err := logIn(newScram(SHA256, o), altered(theirs().serve()(), &messages, func(right string) string {
				if c.sign != nil {
					return "v=" + encode(c.sign(saslpeer.Must(base64.StdEncoding.DecodeString(right[2:]))))
				}
				return strings.ReplaceAll(c.message, "RIGHT", right)
			}))
			wantReason(t, c.name, err, c.reason, c.text)
			saslpeer.Equal(t, c.name+": messages", messages, 2)
		}
	}
}

func encode(b []byte) string { return base64.StdEncoding.EncodeToString(b) }

// A broker's signature without the extension is not valid for a delegation token.
func TestTokenSignatureCoversExtension(t *testing.T) {
	o := alice()
	o.DelegationToken = true
	a := newScram(SHA256, o)
	messages, bare, first := 0, "", ""
	err := logIn(a, func(response []byte) ([]byte, error) {
		if messages++; messages == 1 {
			bare = strings.TrimSuffix(strings.TrimPrefix(string(response), "n,,"), tokenExtension)
			first = "r=" + nonceOf(string(response)) + "x" + behind
			return []byte(first), nil
		}
		unproven, _, _ := strings.Cut(string(response), ",p=")
		l := tokenLogin{hash: hashes[SHA256].generate}
		return []byte("v=" + encode(l.mac(theirs().keys().ServerKey, bare+","+first+","+unproven))), nil
	})
	wantReason(t, "the signature", err, BadSignature, "")
}

func TestTheCapIsTheUsers(t *testing.T) {
	for _, c := range []struct {
		max, iterations int
		reason          Reason
	}{{5000, 5000, Other}, {5000, 5001, IterationsTooHigh}, {4096, 4096, Other}, {4096, 4097, IterationsTooHigh},
		{0, 20000, Other}} {
		o, p := alice(), theirs()
		o.MaxIterations, p.factors.Iters = c.max, c.iterations
		a, derivations := counted(SHA256, o)
		err := logIn(a, p.serve()())
		if c.reason != Other {
			wantReason(t, fmt.Sprint(c), err, c.reason, fmt.Sprintf("the limit is %d", c.max))
			wantDerived(t, derivations, 0)
			continue
		}
		saslpeer.ErrorIs(t, fmt.Sprint(c), err, nil)
		wantDerived(t, derivations, 1)
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
		{&Error{Reason: ServerError, Detail: "words"}, "scram: the broker rejects the login: words", ""},
		{&Error{Reason: IterationsTooHigh}, "scram: the broker requests too many iterations",
			"if the count is intended, raise Options.MaxIterations"},
	} {
		saslpeer.Equal(t, "the error", c.err.Error(), c.text)
		saslpeer.Equal(t, c.text+": hint", c.err.Hint(), c.hint)
	}
}
