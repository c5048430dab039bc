package krb5

import (
	"errors"
	"fmt"

	"brokerconn/ports"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
)

// Reason is what a login failed of.
type Reason uint8

const (
	Other           Reason = iota // none of the others: Err tells
	NoTicket                      // there is no ticket cache, or no ticket in it
	TicketExpired                 // the ticket has expired, and no new one can be had
	BadKeytab                     // the keytab cannot be read, or has no key of the principal
	WrongKey                      // the password, or the key of the keytab, is not the one that the KDC has
	UnknownClient                 // the KDC does not know who logs in
	ClientRefused                 // the KDC knows who logs in, and gives no ticket
	UnknownService                // the KDC does not know the broker's principal
	UnknownRealm                  // there is no KDC for the realm, or no way to it
	KDCUnreachable                // no KDC of the realm answers
	BadAnswer                     // a KDC's answer is not to be relied on
	ClockSkew                     // the clocks are too far apart
	EncryptionTypes               // no encryption type in common, or only one that does not do
	Refused                       // the broker does not take the ticket
	NotMutual                     // the broker did not prove who it is
	BadToken                      // a token of the broker's is malformed or forged
	LayerNotOffered               // the broker insists on a security layer
)

// reasons have a name for machines, a sentence, and what to try.
var reasons = [...]struct{ name, sentence, hint string }{
	Other:           {"other", "the login failed", ""},
	NoTicket:        {"no-ticket", "there is no ticket", "run kinit, or configure a keytab"},
	TicketExpired:   {"ticket-expired", "the ticket has expired", "run kinit again, or configure a keytab"},
	BadKeytab:       {"bad-keytab", "the keytab will not do", "klist -ekt shows what is in it; is it the right file, and may it be read?"},
	WrongKey:        {"wrong-key", "the KDC has another key for the client", "is the password right? a keytab has to be made anew when the password changes"},
	UnknownClient:   {"unknown-client", "the KDC does not know the client", "is the name spelt as the KDC has it, capitals too, and is it the right realm?"},
	ClientRefused:   {"client-refused", "the KDC gives the client no ticket", "who administers the realm can tell why: locked, expired, or against a policy"},
	UnknownService:  {"unknown-service", "the KDC does not know the broker's principal", "dial the broker by the host name that its principal has, or configure the service name or the domain name"},
	UnknownRealm:    {"unknown-realm", "no KDC is known for the realm", "name one under [realms] in krb5.conf; a realm is mostly written in capitals"},
	KDCUnreachable:  {"kdc-unreachable", "no KDC answers", "is the address in krb5.conf right, and TCP port 88 open on the way?"},
	BadAnswer:       {"bad-answer", "the KDC's answer cannot be relied on", "is it a KDC that listens there? its log may tell more"},
	ClockSkew:       {"clock-skew", "the clocks are too far apart", "set the clock of this machine, and the other's, by the network (NTP)"},
	EncryptionTypes: {"encryption-types", "no encryption type will do", "principals must have keys of an AES type (17 to 20), and krb5.conf must permit it"},
	Refused:         {"refused", "the broker does not take the ticket", "does the broker's keytab have the present key of its principal?"},
	NotMutual:       {"not-mutual", "the broker did not prove who it is", "do not trust it: whoever answers has no key of the broker's principal"},
	BadToken:        {"bad-token", "the broker's token is malformed or forged", "does something on the way change what is sent?"},
	LayerNotOffered: {"layer-not-offered", "the broker insists on a security layer", "Kafka has none: the broker must offer the quality of protection \"auth\""},
}

// String is a name for machines: "no-ticket", "clock-skew".
func (r Reason) String() string {
	if int(r) < len(reasons) {
		return reasons[r].name
	}
	return fmt.Sprintf("unknown reason %d", uint8(r))
}

// Error is a failed login. It has no secret in it.
type Error struct {
	Reason Reason
	// Principal is the client's, the service's or the ticket's whose matter it was,
	// "kafka/broker.example.org@EXAMPLE.ORG", or the realm alone; it may be empty.
	Principal string
	// Detail says more, with words of a KDC or a broker quoted; it may be empty.
	Detail string
	// Code is the error code of RFC 4120, section 7.5.9, that a KDC or the broker
	// answered with; 0: none.
	Code int32
	// Err is what lies below: an error of the network or of a file; it may be nil.
	Err error

	hint string // instead of the reason's
}

var _ ports.Hinter = (*Error)(nil)

func (e *Error) Error() string {
	text := "gssapi: " + reasons[e.Reason].sentence
	if e.Principal != "" {
		text += fmt.Sprintf(" (%s)", e.Principal)
	}
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Hint is what to try; it may be empty.
func (e *Error) Hint() string {
	if e.hint != "" {
		return e.hint
	}
	return reasons[e.Reason].hint
}

func (e *Error) Unwrap() error { return e.Err }

func failure(reason Reason, principal, format string, args ...any) *Error {
	return &Error{Reason: reason, Principal: principal, Detail: fmt.Sprintf(format, args...)}
}

// ServiceError reads a KRB_ERROR that a service answered with; nothing proves that it
// is the service's.
func ServiceError(message []byte, server string) *Error {
	var refused messages.KRBError
	if !Contain(func() error { return refused.Unmarshal(message) }) {
		return failure(BadToken, server, "its error cannot be read")
	}
	e := &Error{Reason: Refused, Principal: server, Code: refused.ErrorCode, Detail: codeText(&refused)}
	switch refused.ErrorCode {
	case errorcode.KRB_AP_ERR_SKEW, errorcode.KRB_AP_ERR_TKT_NYV:
		e.Reason = ClockSkew
	case errorcode.KRB_AP_ERR_TKT_EXPIRED:
		e.hint = "the next login gets another ticket; is the clock of the broker fast?"
	}
	return e
}

func reasonOf(err error) Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	return Other
}

// Contain runs what reads bytes of others with gokrb5, which slices and indexes
// before it looks: a panic there means that the bytes are malformed. What it says
// may show keys and is not passed on; neither are most of gokrb5's errors, which
// print what they could not read.
func Contain(read func() error) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return read() == nil
}
