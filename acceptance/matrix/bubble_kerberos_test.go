package matrix

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"

	"brokerconn/adapters/sasl/gssapi"
	"brokerconn/application/sim/kerberos"
	"brokerconn/ports"
)

// GSSAPI of a stage. What fails before the first token is adapters/sasl/gssapi's, with a ticket cache that is missing
// or a KDC with another time; the conversation with the broker is the scripted one of application/sim/kerberos.

const (
	bubbleRealm = "EXAMPLE.ORG"
	krb5Config  = "[libdefaults]\n default_realm = EXAMPLE.ORG\n dns_lookup_kdc = false\n" +
		"[realms]\n EXAMPLE.ORG = {\n  kdc = kdc.example.org\n }\n"
)

// kerberized is an authenticator whose logins may have no ticket for a time.
type kerberized struct {
	ports.Authenticator
	s                *stage
	noTicket, skewed ports.Authenticator
}

func (s *stage) kerberos() ports.Authenticator {
	noTicket, err := gssapi.New(gssapi.Options{TicketCache: "no such ticket cache", Config: krb5Config, Run: s.work})
	if err != nil {
		panic(err) // the options are constants
	}
	skewed, err := gssapi.New(gssapi.Options{Principal: bubbleUser + "@" + bubbleRealm, Dial: lateKDC,
		Password: ports.NewSecret(bubblePassword), Config: krb5Config, Run: s.work})
	if err != nil {
		panic(err)
	}
	return kerberized{&kerberos.Client{User: bubbleUser, Key: bubbleKey, ServerKey: bubbleKey, Runner: s.work,
		Ticket: func() uint64 { return 1 }}, s, noTicket, skewed}
}

func (k kerberized) Begin(ep ports.Endpoint) ports.Exchange {
	switch {
	case k.s.lasts(func(f *loginFaults) time.Time { return f.noTicket }):
		return k.noTicket.Begin(ep)
	case k.s.lasts(func(f *loginFaults) time.Time { return f.skewed }):
		return k.skewed.Begin(ep)
	}
	return k.Authenticator.Begin(ep)
}

// lateKDC is a KDC whose clock is too far from the client's (RFC 4120, section 7.5.9: error 37).
func lateKDC(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	go func() {
		defer server.Close()
		var size [4]byte
		if _, err := io.ReadFull(server, size[:]); err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, server, int64(binary.BigEndian.Uint32(size[:]))); err != nil {
			return
		}
		refusal := messages.NewKRBError(types.NewPrincipalName(2, "krbtgt/"+bubbleRealm), bubbleRealm,
			errorcode.KRB_AP_ERR_SKEW, "clock skew too great")
		body, err := refusal.Marshal()
		if err != nil {
			panic(err) // the message is a constant
		}
		_, _ = server.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...))
	}()
	return client, nil
}

// layers is the broker's offer of security layers: that of none, unless it requires one.
func (s *stage) layers() string {
	if s.lasts(func(f *loginFaults) time.Time { return f.layers }) {
		return kerberos.Layers
	}
	return kerberos.NoLayer
}

// kerberosVerbs are faults of GSSAPI that application/sim does not have.
var kerberosVerbs = map[string]verb{
	"no-ticket":      during(func(f *loginFaults) *time.Time { return &f.noTicket }),
	"clock-skew":     during(func(f *loginFaults) *time.Time { return &f.skewed }),
	"requires-layer": during(func(f *loginFaults) *time.Time { return &f.layers }),
}
