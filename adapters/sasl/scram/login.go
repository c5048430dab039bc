package scram

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/xdg-go/scram"
)

// The four messages (RFC 5802, section 3), of which the client sends the first and
// the third:
//
//	n,,n=user,r=OURS
//	              r=OURSTHEIRS,s=salt,i=iterations
//	c=biws,r=OURSTHEIRS,p=proof
//	              v=signature
//
// The login is done only after the signature is verified: until then the peer has not
// proved that it knows the user.

// login is the state of one login.
type login struct {
	auth         *Authenticator
	user         *user
	conversation *scram.ClientConversation
	nonce        string
	bare, final  string      // the client's messages, the first one without the GS2 header
	token        *tokenLogin // nil without a delegation token
}

func (l *login) step(ctx context.Context, challenge []byte) (response []byte, done bool, err error) {
	text := ""
	switch {
	case challenge == nil:
		text, err = l.start(ctx)
	case l.final == "":
		text, err = l.prove(ctx, string(challenge))
	default:
		if err = l.verify(string(challenge)); err == nil {
			return nil, true, nil
		}
	}
	if err != nil {
		return nil, false, err
	}
	return []byte(text), false, nil
}

func (l *login) start(ctx context.Context) (first string, err error) {
	credentials, err := l.auth.source(ctx)
	if err != nil {
		return "", err
	}
	if l.user, err = l.auth.user(credentials); err != nil {
		return "", err
	}
	if l.nonce, err = l.auth.nonce(); err != nil {
		return "", err
	}
	if l.conversation, first, err = l.user.converse(l.nonce); err != nil {
		return "", err
	}
	l.bare = strings.TrimPrefix(first, "n,,")
	if l.auth.token {
		first += tokenExtension
	}
	return first, nil
}

// hint names the one reason for which Kafka refuses a right password, with the same text: it
// takes the first message with another name as malformed.
func (l *login) hint() string {
	if strings.ContainsFunc(l.bare, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return "the user name (sasl.username, sasl_plain_username) has characters that are not ASCII, and Kafka's " +
			"brokers refuse such a name in SCRAM: use a user whose name is ASCII"
	}
	return ""
}

func (l *login) prove(ctx context.Context, serverFirst string) (final string, err error) {
	factors, err := parseFirst(serverFirst, l.nonce, l.auth.max)
	if err != nil {
		return "", err
	}
	keys, err := l.user.derive(ctx, factors)
	if err != nil {
		return "", err
	}
	if final, err = l.conversation.Step(serverFirst); err != nil {
		return "", &Error{Err: err}
	}
	if l.auth.token {
		l.token = &tokenLogin{hash: l.user.ring.hash, keys: keys}
		final, err = l.token.sign(l.bare, serverFirst, final)
	}
	l.final = final
	return final, err
}

func (l *login) verify(serverFinal string) error {
	signature, err := parseFinal(serverFinal)
	if err != nil {
		return err
	}
	if l.token != nil {
		if serverFinal, err = l.token.verify(signature); err != nil {
			return err
		}
	}
	if _, err := l.conversation.Step(serverFinal); err != nil || !l.conversation.Valid() {
		return &Error{Reason: BadSignature}
	}
	return nil
}
