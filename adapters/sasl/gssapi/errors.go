package gssapi

import (
	"fmt"

	"brokerconn/adapters/sasl/gssapi/krb5"
)

// Reason is why a login failed. Its String method returns a name for programs, such
// as "no-ticket" or "clock-skew".
type Reason = krb5.Reason

// The reasons.
const (
	Other           = krb5.Other           // any other reason: see Err
	NoTicket        = krb5.NoTicket        // no ticket cache, or no ticket in it
	TicketExpired   = krb5.TicketExpired   // the ticket has expired, and no new one is available
	BadKeytab       = krb5.BadKeytab       // the keytab cannot be read, or has no key of the principal
	WrongKey        = krb5.WrongKey        // the password or the keytab's key differs from the KDC's
	UnknownClient   = krb5.UnknownClient   // the KDC does not know the client
	ClientRefused   = krb5.ClientRefused   // the KDC knows the client and refuses it a ticket
	UnknownService  = krb5.UnknownService  // the KDC does not know the broker's principal
	UnknownRealm    = krb5.UnknownRealm    // no KDC is known for the realm, or no path leads to it
	KDCUnreachable  = krb5.KDCUnreachable  // no KDC of the realm answers
	BadAnswer       = krb5.BadAnswer       // a KDC's answer is malformed or forged
	ClockSkew       = krb5.ClockSkew       // the clocks are too far apart
	EncryptionTypes = krb5.EncryptionTypes // no usable encryption type in common
	Refused         = krb5.Refused         // the broker rejects the ticket
	NotMutual       = krb5.NotMutual       // the broker did not prove its identity
	BadToken        = krb5.BadToken        // a token from the broker is malformed or forged
	LayerNotOffered = krb5.LayerNotOffered // the broker requires a security layer
)

// Error is a failed login. It contains no secret. Its fields and methods:
//
//	Reason     what failed, for programs
//	Principal  the client, service or ticket concerned, or the realm alone; may be empty
//	Detail     more about the failure, with text of a KDC or a broker quoted; may be empty
//	Code       the error code (RFC 4120, section 7.5.9) from a KDC or the broker; 0 if none
//	Err        the underlying error of the network or of a file; may be nil
//	Error      returns all of these as one line
//	Hint       returns what to change; may be empty
//	Unwrap     returns Err
type Error = krb5.Error

func failure(reason Reason, principal, format string, args ...any) *Error {
	return &Error{Reason: reason, Principal: principal, Detail: fmt.Sprintf(format, args...)}
}
