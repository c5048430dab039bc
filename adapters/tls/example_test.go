package tls_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"

	"brokerconn/adapters/tcp"
	"brokerconn/adapters/tls"
)

// What is to be said about a server whose certificate nobody trusts here.
func ExampleInspector() {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	defer server.Close()

	inspector, err := tls.NewInspector(tcp.Dial(tcp.Options{}), tls.Options{})
	if err != nil {
		fmt.Println(err) // an option that cannot be used
		return
	}
	seen, err := inspector.Inspect(context.Background(), "tcp", server.Listener.Addr().String())
	if err != nil {
		fmt.Println(err) // it was not reached
		return
	}
	fmt.Println(tls.DistinguishedName(seen.State.PeerCertificates[0].RawSubject))
	if why := new(tls.Error); errors.As(seen.Unverified, &why) {
		fmt.Println(why.Reason.Sentence())
	}
	if required, known := seen.Required(); known {
		fmt.Println("it demands a client certificate:", required)
	}
	// Output:
	// O=Acme Co
	// the broker's certificate is signed by itself, and not trusted here
	// it demands a client certificate: false
}
