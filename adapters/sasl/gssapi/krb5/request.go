package krb5

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// What the two exchanges with a KDC have in common (RFC 4120, sections 3.1 and 3.3):
// the ticket that comes out, the checks of an answer, and what a refusal means. The
// messages and the cryptography are gokrb5's, the conduct is not: its client starts
// goroutines to renew tickets, does not compare the service in the answer with the
// one asked for, and is not safe for concurrent use before the first login.

// Ticket is a ticket and what its owner must know to use it.
type Ticket struct {
	Client, Server Principal
	Raw            messages.Ticket
	Key            types.EncryptionKey
	start, end     time.Time
	renewTill      time.Time // zero: it cannot be renewed
}

func (t *Ticket) valid(now time.Time) bool { return now.Before(t.end) }

// fresh: five sixths of its time have not passed. After that another one is wanted,
// while this one still does.
func (t *Ticket) fresh(now time.Time) bool {
	return now.Before(t.end.Add(-t.end.Sub(t.start) / 6))
}

// kdc makes requests and judges the answers.
type kdc struct {
	kdcs
	now func() time.Time

	stamped sync.Mutex
	latest  time.Time // that an authenticator has
}

// answered is what both kinds of answer have.
type answered struct {
	messages.KDCRepFields
	key    types.EncryptionKey // that it is encrypted with
	usage  uint32
	client Principal
	asked  messages.KDCReqBody
}

// open decrypts an answer, and holds it against the request.
func (k *kdc) open(a *answered) (*Ticket, error) {
	realm := a.asked.Realm
	var part messages.EncKDCRepPart
	wrongKey := true
	if !Contain(func() error {
		plain, err := crypto.DecryptEncPart(a.EncPart, a.key, a.usage)
		if err != nil {
			return err
		}
		wrongKey = false
		return part.Unmarshal(plain)
	}) {
		if wrongKey {
			return nil, errWrongKey
		}
		return nil, failure(BadAnswer, realm, "what it encrypted is no answer to the request")
	}
	got := Principal{part.SName, part.SRealm}
	now := k.now()
	switch {
	case part.Nonce != a.asked.Nonce:
		return nil, failure(BadAnswer, realm, "it is the answer to another request")
	case !a.Ticket.SName.Equal(part.SName) || a.Ticket.Realm != part.SRealm:
		return nil, failure(BadAnswer, realm, "the ticket is not the one that is promised")
	case !a.CName.Equal(a.client.Name) || a.CRealm != a.client.Realm:
		return nil, failure(BadAnswer, realm, "the ticket is for %q instead of %q", Principal{a.CName, a.CRealm}, a.client)
	}
	t := &Ticket{
		Client: a.client, Server: got, Raw: a.Ticket, Key: part.Key,
		start: part.StartTime, end: part.EndTime, renewTill: part.RenewTill,
	}
	if t.start.IsZero() {
		t.start = part.AuthTime
	}
	if skew := t.start.Sub(now); skew > k.conf.LibDefaults.Clockskew || !t.valid(now) {
		return nil, failure(ClockSkew, realm, "a ticket that was made just now is valid from %s to %s, and it is %s here", stamp(t.start), stamp(t.end), stamp(now))
	}
	return t, nil
}

var errWrongKey = errors.New("gssapi: wrong key")

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// refusal is what a KRB_ERROR means. of is whose matter it is where the KDC does not
// say it by the code.
func refusal(k *messages.KRBError, of Principal) *Error {
	e := &Error{Reason: Other, Principal: of.String(), Code: k.ErrorCode, Detail: codeText(k)}
	switch k.ErrorCode {
	case errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN:
		e.Reason = UnknownClient
	case errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, errorcode.KDC_ERR_MUST_USE_USER2USER, errorcode.KDC_ERR_SERVER_NOMATCH:
		e.Reason = UnknownService
	case errorcode.KDC_ERR_NAME_EXP, errorcode.KDC_ERR_CLIENT_REVOKED, errorcode.KDC_ERR_CLIENT_NOTYET,
		errorcode.KDC_ERR_KEY_EXPIRED, errorcode.KDC_ERR_POLICY, errorcode.KDC_ERR_SERVICE_EXP,
		errorcode.KDC_ERR_SERVICE_REVOKED, errorcode.KDC_ERR_SERVICE_NOTYET:
		e.Reason = ClientRefused
	case errorcode.KDC_ERR_PREAUTH_FAILED:
		e.Reason = WrongKey
	case errorcode.KDC_ERR_ETYPE_NOSUPP, errorcode.KDC_ERR_NULL_KEY:
		e.Reason = EncryptionTypes
	case errorcode.KRB_AP_ERR_SKEW, errorcode.KRB_AP_ERR_TKT_NYV, errorcode.KDC_ERR_NEVER_VALID:
		e.Reason = ClockSkew
	case errorcode.KRB_AP_ERR_TKT_EXPIRED, errorcode.KDC_ERR_TGT_REVOKED:
		e.Reason = TicketExpired
	case errorcode.KDC_ERR_SVC_UNAVAILABLE:
		e.Reason = KDCUnreachable
	case errorcode.KDC_ERR_WRONG_REALM:
		e.Reason = UnknownClient
		e.Detail += fmt.Sprintf("; the client is of the realm %q", k.CRealm)
	}
	return e
}

// codeText is an error code by its name, and what the sender adds, quoted.
func codeText(k *messages.KRBError) string {
	text := errorcode.Lookup(k.ErrorCode)
	if k.EText != "" {
		text += fmt.Sprintf(", %.100q", k.EText)
	}
	return text
}

// stale reports whether another ticket-granting ticket may help: this one has ended,
// or was made with a key that the KDC has no more, for which MIT's has no code but
// the one for everything.
func stale(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Code != 0 && (e.Reason == TicketExpired || e.Reason == Other)
}

// send sends a request to a realm and turns a refusal into an *Error.
func (k *kdc) send(ctx context.Context, realm string, request []byte, of Principal) ([]byte, error) {
	answer, err := k.ask(ctx, realm, request)
	var refused *messages.KRBError
	if errors.As(err, &refused) {
		return nil, refusal(refused, of)
	}
	return answer, err
}
