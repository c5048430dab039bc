package krb5

import (
	"context"
	"encoding/asn1"
	"errors"
	"slices"
	"time"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// The exchange that turns a long-term key into a ticket-granting ticket (RFC 4120,
// section 3.1). Most KDCs refuse the first request with a description of how the key
// is derived. The second request then proves possession of the key with an encrypted
// timestamp. The plain request shows the client's name and nothing more. FAST (RFC
// 6113) is not negotiated, because gokrb5 does not implement it.

// authenticate returns a ticket-granting ticket.
func (k *kdc) authenticate(ctx context.Context, who Principal, secret keys) (*Ticket, error) {
	request, err := k.newASRequest(who, secret)
	if err != nil {
		return nil, err
	}
	answer, err := k.send(ctx, who.Realm, request)
	refused, ok := errors.AsType[*messages.KRBError](err)
	if ok && refused.ErrorCode == errorcode.KDC_ERR_PREAUTH_REQUIRED {
		if err := k.prove(request, refused.EData, who, secret); err != nil {
			return nil, err
		}
		answer, err = k.send(ctx, who.Realm, request)
		refused, ok = errors.AsType[*messages.KRBError](err)
	}
	if ok {
		e := refusal(refused, who)
		if e.Reason == UnknownService {
			e.Reason, e.Principal = UnknownRealm, who.Realm // its own ticket-granting service
		}
		return nil, e
	}
	if err != nil {
		return nil, err
	}
	return k.readAS(answer, request, who, secret)
}

func (k *kdc) newASRequest(who Principal, secret keys) (*messages.ASReq, error) {
	options, err := k.conf.options(who.Realm)
	var request messages.ASReq
	if err == nil {
		request, err = messages.NewASReqForTGT(who.Realm, options, who.Name)
	}
	if err != nil {
		return nil, &Error{Reason: Other, Principal: who.String(), Err: err}
	}
	b, now := &request.ReqBody, k.now().UTC()
	b.EType = secret.order(who, k.conf.asTypes)
	b.Till = now.Add(options.LibDefaults.TicketLifetime)
	if renew := options.LibDefaults.RenewLifetime; renew > 0 {
		b.RTime = now.Add(renew) // gokrb5 requests two days, whatever is configured
	}
	return &request, nil
}

// prove adds the encrypted timestamp to a request. methods is the KDC's description of
// the proof and of the key.
func (k *kdc) prove(request *messages.ASReq, methods []byte, who Principal, secret keys) error {
	var data types.PADataSequence
	if !Contain(func() error { return data.Unmarshal(methods) }) {
		return failure(BadAnswer, who.Realm, "malformed preauthentication methods")
	}
	if !data.Contains(patype.PA_ENC_TIMESTAMP) {
		return failure(EncryptionTypes, who.String(),
			"the KDC requires a second factor or a certificate and does not accept an encrypted timestamp")
	}
	etype, err := k.choose(data, request.ReqBody.EType, who)
	if err != nil {
		return err
	}
	key, err := secret.key(who, etype, data)
	if err != nil {
		return err
	}
	proof, err := encryptedTime(k.now(), key)
	if err != nil {
		return &Error{Reason: EncryptionTypes, Principal: who.String(), Err: err}
	}
	request.PAData = append(request.PAData, types.PAData{PADataType: patype.PA_ENC_TIMESTAMP, PADataValue: proof})
	return nil
}

// choose returns the first encryption type that the KDC names and that was requested.
// An honest KDC names no type that was not requested, such as a weak one.
func (k *kdc) choose(data types.PADataSequence, asked []int32, who Principal) (etype int32, err error) {
	for _, entry := range typesOf(data) {
		if slices.Contains(asked, entry.EType) {
			return entry.EType, nil
		}
	}
	return 0, failure(EncryptionTypes, who.String(), "the KDC has no key of the permitted types %v", asked)
}

// encryptedTime returns PA-ENC-TIMESTAMP (RFC 4120, section 5.2.7.2).
func encryptedTime(now time.Time, key types.EncryptionKey) ([]byte, error) {
	plain, err := asn1.Marshal(types.PAEncTSEnc{PATimestamp: now.UTC(), PAUSec: now.Nanosecond() / 1000})
	if err != nil {
		return nil, err
	}
	sealed, err := crypto.GetEncryptedData(plain, key, keyusage.AS_REQ_PA_ENC_TIMESTAMP, 0)
	if err != nil {
		return nil, err
	}
	return sealed.Marshal()
}

// readAS verifies an answer and returns the ticket in it.
func (k *kdc) readAS(message []byte, request *messages.ASReq, who Principal, secret keys) (*Ticket, error) {
	var reply messages.ASRep
	if !Contain(func() error { return reply.Unmarshal(message) }) {
		return nil, failure(BadAnswer, who.Realm, "the answer is not a KRB_AS_REP")
	}
	etype := reply.EncPart.EType
	if !slices.Contains(request.ReqBody.EType, etype) {
		return nil, failure(EncryptionTypes, who.String(),
			"the KDC answers with encryption type %d, which was not requested", etype)
	}
	key, err := secret.key(who, etype, reply.PAData)
	if err != nil {
		return nil, err
	}
	t, err := k.open(&answer{
		KDCRepFields: reply.KDCRepFields, key: key, usage: keyusage.AS_REP_ENCPART,
		client: who, request: request.ReqBody, wrong: &Error{Reason: WrongKey, Principal: who.String()},
	})
	if err == nil && !t.Server.is(granting(who.Realm, who.Realm)) {
		return nil, failure(BadAnswer, who.Realm, "the ticket is for %q", t.Server)
	}
	return t, err
}
