package scram

import (
	"context"
	"strings"

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
// The login is done only when the signature was found right: until then nobody has
// shown to be the broker that the user is known to.

// login is one login at work.
type login struct {
	auth         *Authenticator
	heard        int // messages of the broker
	user         *user
	conversation *scram.ClientConversation
	nonce        string
	first        string
	token        *tokenLogin // nil: not by delegation token
}

func (l *login) step(ctx context.Context, challenge []byte) (response []byte, done bool, err error) {
	if challenge == nil {
		response, err = l.start(ctx)
		return response, false, err
	}
	if l.heard++; l.heard == 1 {
		response, err = l.prove(ctx, string(challenge))
		return response, false, err
	}
	return nil, true, l.verify(string(challenge))
}

func (l *login) start(ctx context.Context) ([]byte, error) {
	credentials, err := l.auth.source(ctx)
	if err != nil {
		return nil, err
	}
	if l.user, err = l.auth.user(credentials); err != nil {
		return nil, err
	}
	if l.nonce, err = l.auth.nonce(); err != nil {
		return nil, err
	}
	if l.conversation, l.first, err = l.user.converse(l.nonce); err != nil {
		return nil, err
	}
	if l.auth.token {
		return []byte(l.first + tokenExtension), nil
	}
	return []byte(l.first), nil
}

func (l *login) prove(ctx context.Context, serverFirst string) ([]byte, error) {
	factors, err := parseFirst(serverFirst, l.nonce, l.auth.max)
	if err != nil {
		return nil, err
	}
	keys, err := l.user.derive(ctx, factors)
	if err != nil {
		return nil, err
	}
	final, err := l.conversation.Step(serverFirst)
	if err != nil {
		return nil, &Error{Err: err}
	}
	if l.auth.token {
		bare := strings.TrimPrefix(l.first, "n,,")
		l.token = &tokenLogin{hash: l.user.hash, keys: keys}
		final, err = l.token.sign(bare, serverFirst, final)
	}
	return []byte(final), err
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
