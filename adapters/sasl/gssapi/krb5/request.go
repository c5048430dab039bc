package krb5

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"brokerconn/adapters/internal/fault"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// The common part of the two exchanges with a KDC (RFC 4120, sections 3.1 and 3.3): the
// ticket, the checks of an answer, and the meaning of a refusal. Messages and
// cryptography are gokrb5's; its client is not used: it starts goroutines to renew
// tickets, does not compare the service in the answer with the requested one, and is
// not safe for concurrent use before the first login.

// Ticket is a ticket with its session key.
type Ticket struct {
	Client, Server Principal
	Raw            messages.Ticket
	Key            types.EncryptionKey
	start, end     time.Time
	renewTill      time.Time // zero if it is not renewable
}

func (t *Ticket) valid(now time.Time) bool { return now.Before(t.end) }

// fresh reports whether less than five sixths of the ticket's life have passed. After
// that a new ticket is requested, and the old one serves if the request fails.
func (t *Ticket) fresh(now time.Time) bool {
	return now.Before(t.end.Add(-t.end.Sub(t.start) / 6))
}

// kdc sends requests and verifies the answers.
type kdc struct {
	kdcs
	now func() time.Time

	stamped sync.Mutex
	latest  time.Time // of the authenticators
}

// answer is what both kinds of answer have in common.
type answer struct {
	messages.KDCRepFields
	key     types.EncryptionKey // of the encrypted part
	usage   uint32
	client  Principal
	request messages.KDCReqBody
	wrong   *Error // if another key encrypted it
}

// open decrypts an answer and compares it with the request.
func (k *kdc) open(a *answer) (*Ticket, error) {
	realm := a.request.Realm
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
			return nil, a.wrong
		}
		return nil, failure(BadAnswer, realm, "malformed encrypted part")
	}
	got := Principal{part.SName, part.SRealm}
	now := k.now()
	switch {
	case part.Nonce != a.request.Nonce:
		return nil, failure(BadAnswer, realm, "the answer has the nonce of another request")
	case !a.Ticket.SName.Equal(part.SName) || a.Ticket.Realm != part.SRealm:
		return nil, failure(BadAnswer, realm, "the ticket is not for the service in the encrypted part")
	case !a.CName.Equal(a.client.Name) || a.CRealm != a.client.Realm:
		return nil, failure(BadAnswer, realm, "the ticket is of the client %q, want %q", Principal{a.CName, a.CRealm},
			a.client)
	}
	t := &Ticket{
		Client: a.client, Server: got, Raw: a.Ticket, Key: part.Key,
		start: part.StartTime, end: part.EndTime, renewTill: part.RenewTill,
	}
	if t.start.IsZero() {
		t.start = part.AuthTime
	}
	if skew := t.start.Sub(now); skew > k.conf.clockSkew || !t.valid(now) {
		return nil, failure(ClockSkew, realm, "a new ticket is valid from %s to %s, and the local time is %s",
			fault.Time(t.start), fault.Time(t.end), fault.Time(now))
	}
	return t, nil
}

// meanings are those of the error codes of a KDC.
var meanings = map[int32]Reason{
	errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN: UnknownClient, errorcode.KDC_ERR_WRONG_REALM: UnknownClient,
	errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN: UnknownService, errorcode.KDC_ERR_SERVER_NOMATCH: UnknownService,
	errorcode.KDC_ERR_MUST_USE_USER2USER: UnknownService,
	errorcode.KDC_ERR_NAME_EXP:           ClientRefused, errorcode.KDC_ERR_CLIENT_REVOKED: ClientRefused,
	errorcode.KDC_ERR_CLIENT_NOTYET: ClientRefused, errorcode.KDC_ERR_KEY_EXPIRED: ClientRefused,
	errorcode.KDC_ERR_POLICY: ClientRefused, errorcode.KDC_ERR_SERVICE_EXP: ClientRefused,
	errorcode.KDC_ERR_SERVICE_REVOKED: ClientRefused, errorcode.KDC_ERR_SERVICE_NOTYET: ClientRefused,
	errorcode.KDC_ERR_PREAUTH_FAILED: WrongKey, errorcode.KDC_ERR_SVC_UNAVAILABLE: KDCUnreachable,
	errorcode.KDC_ERR_ETYPE_NOSUPP: EncryptionTypes, errorcode.KDC_ERR_NULL_KEY: EncryptionTypes,
	errorcode.KRB_AP_ERR_SKEW: ClockSkew, errorcode.KRB_AP_ERR_TKT_NYV: ClockSkew,
	errorcode.KDC_ERR_NEVER_VALID: ClockSkew, errorcode.KRB_AP_ERR_TKT_EXPIRED: TicketExpired,
	errorcode.KDC_ERR_TGT_REVOKED: TicketExpired,
}

// refusal returns the meaning of a KRB_ERROR. of is the principal of the request.
func refusal(k *messages.KRBError, of Principal) *Error {
	e := &Error{Reason: meanings[k.ErrorCode], Principal: of.String(), Code: k.ErrorCode, Detail: codeText(k)}
	if k.ErrorCode == errorcode.KDC_ERR_WRONG_REALM {
		e.Detail += fmt.Sprintf("; the client's realm is %q", k.CRealm)
	}
	return e
}

// codeText returns the name of the error code and the sender's text, quoted.
func codeText(k *messages.KRBError) string {
	text := errorcode.Lookup(k.ErrorCode)
	if k.EText != "" {
		text += fmt.Sprintf(", %.100q", k.EText)
	}
	return text
}

// mayNeedNewTGT reports whether another ticket-granting ticket may help: this one has
// expired, or the KDC has replaced the key it was made with, which MIT's KDC reports
// with a generic code.
func mayNeedNewTGT(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code != 0 && (e.Reason == TicketExpired || e.Reason == Other)
}

// send sends a request to a realm. It returns a refusal unchanged, as a *messages.KRBError.
func (k *kdc) send(ctx context.Context, realm string, request interface{ Marshal() ([]byte, error) }) ([]byte, error) {
	b, err := request.Marshal()
	if err != nil {
		return nil, &Error{Reason: Other, Principal: realm, Err: err}
	}
	return k.ask(ctx, realm, b)
}
