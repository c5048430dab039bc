package krb5

import (
	"context"
	"errors"
	"time"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// The exchange that turns a ticket-granting ticket into one for a service (RFC 4120,
// section 3.3), also in another realm. [domain_realm] gives the realm of the service;
// otherwise the KDC refers the client to the next realm on the path (RFC 6806, section
// 8). gokrb5's own request names the last realm on the path as the client's realm,
// which is right for one step only.

const maxRealms = 8 // on the path to a service

// request returns a ticket for a service. realm is the realm of the service; if it is
// empty, the KDC decides.
func (k *kdc) request(ctx context.Context, tgt *Ticket, server Principal, realm string) (*Ticket, error) {
	for range maxRealms {
		here, ok := tgt.Server.grants()
		if !ok {
			return nil, failure(BadAnswer, server.String(), "the ticket for %q is not a ticket-granting ticket",
				tgt.Server)
		}
		want, options := server.Name, []int(nil)
		switch realm {
		case here:
		case "":
			options = []int{flags.Canonicalize}
		default:
			want = granting(realm, here).Name
		}
		next, err := k.exchange(ctx, tgt, Principal{want, here}, k.conf.tgsTypes, options)
		if err != nil {
			return nil, err
		}
		if next.Server.Name.Equal(server.Name) {
			if !Usable(next.Key) {
				return nil, failure(EncryptionTypes, next.Server.String(),
					"the KDC made a session key of type %d, not an AES encryption type", next.Key.KeyType)
			}
			return next, nil
		}
		if further, ok := next.Server.grants(); !ok || further == here {
			return nil, failure(BadAnswer, here, "the ticket is for %q", next.Server)
		}
		tgt = next
	}
	return nil, failure(BadAnswer, server.String(), "the path to the service has more than %d realms", maxRealms)
}

// renew returns a ticket-granting ticket with a later end.
func (k *kdc) renew(ctx context.Context, tgt *Ticket) (*Ticket, error) {
	return k.exchange(ctx, tgt, tgt.Server, k.conf.asTypes, []int{flags.Renew, flags.Renewable})
}

// exchange sends one KRB_TGS_REQ and returns the ticket in the answer.
func (k *kdc) exchange(
	ctx context.Context, tgt *Ticket, server Principal, etypes []int32, options []int,
) (*Ticket, error) {
	realm := server.Realm
	life, _ := k.conf.lifetime(tgt.Client.Realm) // the default if it is invalid
	body := messages.KDCReqBody{
		KDCOptions: types.NewKrbFlags(), Realm: realm, SName: server.Name, Nonce: int(random31()), EType: etypes,
		Till: k.now().UTC().Add(life),
	}
	types.SetFlags(&body.KDCOptions, options)
	proof, err := k.proofOfTicket(tgt, &body)
	if err != nil {
		return nil, &Error{Reason: EncryptionTypes, Principal: tgt.Server.String(), Err: err}
	}
	request := messages.TGSReq{KDCReqFields: messages.KDCReqFields{
		PVNO: iana.PVNO, MsgType: msgtype.KRB_TGS_REQ, ReqBody: body,
		PAData: types.PADataSequence{{PADataType: patype.PA_TGS_REQ, PADataValue: proof}},
	}}
	message, err := k.send(ctx, realm, &request)
	if refused, ok := errors.AsType[*messages.KRBError](err); ok {
		return nil, refusal(refused, server)
	}
	if err != nil {
		return nil, err
	}
	var reply messages.TGSRep
	if !Contain(func() error { return reply.Unmarshal(message) }) {
		return nil, failure(BadAnswer, realm, "the answer is not a KRB_TGS_REP")
	}
	return k.open(&answer{
		KDCRepFields: reply.KDCRepFields, key: tgt.Key, usage: keyusage.TGS_REP_ENCPART_SESSION_KEY,
		client: tgt.Client, request: body,
		wrong: failure(BadAnswer, realm, "the answer is not encrypted with the session key"),
	})
}

// proofOfTicket returns PA-TGS-REQ, the request within the request: the ticket and an
// authenticator with a checksum of the body.
func (k *kdc) proofOfTicket(tgt *Ticket, body *messages.KDCReqBody) (proof []byte, err error) {
	encoded, err := body.Marshal()
	if err != nil {
		return nil, err
	}
	kind, err := crypto.GetEtype(tgt.Key.KeyType)
	if err != nil {
		return nil, err
	}
	sum, err := kind.GetChecksumHash(tgt.Key.KeyValue, encoded, keyusage.TGS_REQ_PA_TGS_REQ_AP_REQ_AUTHENTICATOR_CHKSUM)
	if err != nil {
		return nil, err
	}
	a := k.authenticator(tgt)
	a.Cksum = types.Checksum{CksumType: kind.GetHashID(), Checksum: sum}
	request, err := messages.NewAPReq(tgt.Raw, tgt.Key, a)
	if err != nil {
		return nil, err
	}
	return request.Marshal()
}

// Authenticator returns a new authenticator for the ticket's service, with a subkey and
// a sequence number. No two have the same time. It refuses a ticket of another client
// than the configured one or, without one, than that of the ticket cache: the broker
// would take this program for that client.
func (c *Client) Authenticator(t *Ticket) (types.Authenticator, error) {
	if owner := c.origin.owner(); len(owner.Name.NameString) == 0 || !t.Client.is(owner) {
		return types.Authenticator{}, failure(NoTicket, owner.String(), "the ticket for %s is of %s", t.Server,
			t.Client)
	}
	a := c.kdc.authenticator(t)
	a.SeqNumber = int64(random31())
	a.SubKey = newKey(t.Key.KeyType)
	return a, nil
}

// authenticator returns an authenticator for the ticket. No two have the same time: a
// receiver takes the second one for a replay.
func (k *kdc) authenticator(t *Ticket) types.Authenticator {
	at := k.instant()
	return types.Authenticator{
		AVNO: iana.PVNO, CRealm: t.Client.Realm, CName: t.Client.Name, CTime: at, Cusec: at.Nanosecond() / 1000,
	}
}

// instant returns the time to the microsecond, and later than any before.
func (k *kdc) instant() time.Time {
	k.stamped.Lock()
	defer k.stamped.Unlock()
	at := k.now().UTC().Truncate(time.Microsecond)
	if !at.After(k.latest) {
		at = k.latest.Add(time.Microsecond)
	}
	k.latest = at
	return at
}
