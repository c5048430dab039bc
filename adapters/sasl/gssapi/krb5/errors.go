package krb5

import (
	"cmp"
	"fmt"
	"strings"

	"brokerconn/adapters/internal/fault"
	"brokerconn/ports"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
)

// Reason is the kind of a failed login. The last four concern the conversation with the
// service, which package gssapi holds.
type Reason uint8

const (
	Other           Reason = iota // any other reason: see Err
	NoTicket                      // no ticket cache, or no ticket in it
	TicketExpired                 // the ticket has expired, and no new one is available
	BadKeytab                     // the keytab cannot be read, or has no key of the principal
	WrongKey                      // the password or the keytab's key differs from the KDC's
	UnknownClient                 // the KDC does not know the client
	ClientRefused                 // the KDC knows the client and refuses it a ticket
	UnknownService                // the KDC does not know the broker's principal
	UnknownRealm                  // no KDC is known for the realm, or no path leads to it
	KDCUnreachable                // no KDC of the realm answers
	BadAnswer                     // a KDC's answer is malformed or forged
	ClockSkew                     // the clocks are too far apart
	EncryptionTypes               // no usable encryption type in common
	Refused                       // the broker rejects the ticket
	NotMutual                     // the broker did not prove its identity
	BadToken                      // a token from the broker is malformed or forged
	LayerNotOffered               // the broker requires a security layer
)

var kinds = fault.Table[Reason]{
	Other: {Name: "other", Text: "the login failed"},
	NoTicket: {Name: "no-ticket", Text: "no ticket",
		Hint: "run kinit, or configure a keytab: Options.Keytab (sasl.kerberos.keytab)"},
	TicketExpired: {Name: "ticket-expired", Text: "the ticket has expired",
		Hint: "run kinit again, or configure a keytab: Options.Keytab (sasl.kerberos.keytab)"},
	BadKeytab: {Name: "bad-keytab", Text: "the keytab is not valid for the principal",
		Hint: "check Options.Keytab (sasl.kerberos.keytab) with klist -ekt: the path, the permissions, the principal"},
	WrongKey: {Name: "wrong-key", Text: "the KDC has another key for the client",
		Hint: "check the password; after a change of the password, create the keytab again"},
	UnknownClient: {Name: "unknown-client", Text: "the KDC does not know the client",
		Hint: "check the spelling of Options.Principal (sasl.kerberos.principal), its capitals and its realm"},
	ClientRefused: {Name: "client-refused", Text: "the KDC refuses the client a ticket",
		Hint: "ask the administrator of the realm: the client may be locked, expired or against a policy"},
	UnknownService: {Name: "unknown-service", Text: "the KDC does not know the broker's principal",
		Hint: "connect by the host name in the broker's principal, or set Options.ServiceName " +
			"(sasl_kerberos_service_name) or Options.DomainName (sasl_kerberos_domain_name)"},
	UnknownRealm: {Name: "unknown-realm", Text: "no KDC is known for the realm",
		Hint: "name a KDC under [realms] in krb5.conf; realms are usually in capitals"},
	KDCUnreachable: {Name: "kdc-unreachable", Text: "no KDC answers",
		Hint: "check the KDC's address in krb5.conf, and that TCP port 88 is open on the path"},
	BadAnswer: {Name: "bad-answer", Text: "the KDC's answer is malformed or forged",
		Hint: "check that a KDC listens at this address; see its log"},
	ClockSkew: {Name: "clock-skew", Text: "the clocks are too far apart",
		Hint: "synchronize the clocks of this machine and of the other one (NTP)"},
	EncryptionTypes: {Name: "encryption-types", Text: "no usable encryption type in common",
		Hint: "give the principals keys of an AES encryption type (17 to 20), and permit it in krb5.conf"},
	Refused: {Name: "refused", Text: "the broker rejects the ticket",
		Hint: "check that the broker's keytab has the current key of its principal"},
	NotMutual: {Name: "not-mutual", Text: "the broker did not prove its identity",
		Hint: "do not trust this peer: it does not have the key of the broker's principal"},
	BadToken: {Name: "bad-token", Text: "a token from the broker is malformed or forged",
		Hint: "check whether a device on the path changes the data"},
	LayerNotOffered: {Name: "layer-not-offered", Text: "the broker requires a security layer",
		Hint: "Kafka has no security layers: let the broker offer the quality of protection \"auth\""},
}

// String returns the reason for programs: "no-ticket", "clock-skew".
func (r Reason) String() string { return kinds.Of(r).Name }

// Error is a failed login. It contains no secret.
type Error struct {
	Reason Reason
	// Principal is the client, the service or the owner of the ticket concerned, such as
	// "kafka/broker.example.org@EXAMPLE.ORG", or the realm alone; it may be empty.
	Principal string
	// Detail says more, with the words of a KDC or a broker quoted; it may be empty.
	Detail string
	// Code is the error code (RFC 4120, section 7.5.9) of a KDC or of the broker, or 0.
	Code int32
	// Err is the underlying error of the network or of a file; it may be nil.
	Err error

	hint string // replaces the reason's
}

var _ ports.Hinter = (*Error)(nil)

// Error returns one printable line.
func (e *Error) Error() string {
	text := kinds.Of(e.Reason).Text
	if e.Principal != "" {
		text += " (" + e.Principal + ")"
	}
	below := strings.ReplaceAll(fault.Text(e.Err), "\n", "; ") // those of several KDCs are joined
	return fault.Line("gssapi", text, e.Detail, below)
}

// Hint returns what to change; it may be empty.
func (e *Error) Hint() string { return cmp.Or(e.hint, kinds.Of(e.Reason).Hint) }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

func failure(reason Reason, principal, format string, args ...any) *Error {
	return &Error{Reason: reason, Principal: principal, Detail: fmt.Sprintf(format, args...)}
}

// ServiceError returns the Error for a KRB_ERROR from a service, which is not
// authenticated.
func ServiceError(message []byte, server string) *Error {
	var refused messages.KRBError
	if !Contain(func() error { return refused.Unmarshal(message) }) {
		return failure(BadToken, server, "malformed KRB_ERROR")
	}
	e := &Error{Reason: Refused, Principal: server, Code: refused.ErrorCode, Detail: codeText(&refused)}
	switch refused.ErrorCode {
	case errorcode.KRB_AP_ERR_SKEW, errorcode.KRB_AP_ERR_TKT_NYV:
		e.Reason = ClockSkew
	case errorcode.KRB_AP_ERR_TKT_EXPIRED:
		e.hint = "the next login requests another ticket; check whether the broker's clock is fast"
	}
	return e
}

// Contain calls read, which parses input with gokrb5, and reports whether it returned
// nil. gokrb5 slices and indexes before it checks: a panic means malformed input. Panics
// and errors of gokrb5 may print keys or the input and are dropped.
func Contain(read func() error) (ok bool) {
	defer func() { _ = recover() }() // then ok is false
	return read() == nil
}
