package gssapi_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"brokerconn/adapters/sasl"
	"brokerconn/adapters/sasl/gssapi"
	"brokerconn/ports"
)

// krb5conf is for the examples; usually it is /etc/krb5.conf and not set.
const krb5conf = `
[libdefaults]
  default_realm = EXAMPLE.ORG
[realms]
  EXAMPLE.ORG = {
    kdc = kdc.example.org
  }
`

// With the tickets of kinit.
func ExampleNew() {
	login, err := gssapi.New(gssapi.Options{Config: krb5conf, TicketCache: "/tmp/krb5cc_1000"})
	if err != nil {
		fmt.Println(err)
		return
	}
	// broker.Dial(ctx, broker.Config{Host: "broker.example.org", Authenticators: []ports.Authenticator{login}})
	fmt.Println(login.Mechanism())
	// Output: GSSAPI
}

// With a password. The broker's principal is kafka-test/broker.example.org, and its
// address that of a forwarded port.
func ExampleNew_password() {
	login, err := gssapi.New(gssapi.Options{
		Principal: "alice@EXAMPLE.ORG", Password: ports.NewSecret("opensesame"),
		Config:      krb5conf,
		ServiceName: "kafka-test", DomainName: "broker.example.org",
	})
	fmt.Println(login, err)
	// Output: gssapi(alice@EXAMPLE.ORG) <nil>
}

// With a keytab, as services do. New reports an invalid option at once.
func ExampleNew_keytab() {
	_, err := gssapi.New(gssapi.Options{
		Principal: "proxy/host.example.org", Keytab: "/no/such/keytab", Config: krb5conf,
	})
	var option *sasl.OptionError
	if errors.As(err, &option) {
		fmt.Println(option.Option, errors.Is(err, os.ErrNotExist))
	}
	// Output: Keytab true
}

// A failed login has a reason.
func ExampleError() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	login, err := gssapi.New(gssapi.Options{
		Config: krb5conf, TicketCache: filepath.Join(dir, "krb5cc"),
		Run: func(step func()) { step() },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	exchange := login.Begin(ports.Endpoint{Host: "broker.example.org"})
	defer exchange.Close()
	exchange.Next(nil)
	_, _, err = exchange.Result()
	var failure *gssapi.Error
	if errors.As(err, &failure) {
		fmt.Println(failure.Reason)
		fmt.Println(failure.Hint())
	}
	// Output:
	// no-ticket
	// run kinit, or configure a keytab: Options.Keytab (sasl.kerberos.keytab)
}
