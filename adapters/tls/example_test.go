package tls_test

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/adapters/socks5"
	"brokerconn/adapters/tcp"
	"brokerconn/adapters/tls"
	"brokerconn/application/broker"
)

// A broker that wants a client certificate, whose key is encrypted. Files that are
// replaced serve the next connection.
func ExampleNew() {
	secure, err := tls.New(tcp.New(tcp.Options{}), tls.Options{
		CAFile:      "/etc/kafka/ca.pem",
		CertFile:    "/etc/kafka/client.pem",
		KeyFile:     "/etc/kafka/client.key",
		KeyPassword: tls.Password("open sesame"),
		CRLFile:     "/etc/kafka/crl.pem",
		Reloaded: func(err error) {
			if err != nil {
				log.Print("still using the former files: ", err)
			}
		},
	})
	if err != nil {
		var bad *tls.OptionError
		fmt.Println(errors.As(err, &bad), bad.Option)
		return
	}
	_ = broker.Config{Host: "kafka.example.org", Port: 9093, Transport: secure}
	// Output: true CAFile
}

// TLS to a broker behind a proxy: the broker's certificate is verified.
func ExampleNew_proxy() {
	proxy := socks5.New(tcp.Dial(tcp.Options{}), socks5.Options{
		Proxy: "proxy.example.org:1080",
		Login: tunnel.NewLogin("alice", "opensesame"),
	})
	secure, err := tls.New(proxy, tls.Options{Ciphers: "ECDHE+AESGCM:!aNULL"})
	fmt.Println(err, secure.Secure)
	// Output: <nil> true
}

// What a handshake failed of, in a word for machines and a hint for people.
func ExampleError() {
	server := httptest.NewTLSServer(nil) // anybody with TLS, here for example.com
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	address := server.Listener.Addr().String()

	secure, err := tls.New(tcp.New(tcp.Options{}), tls.Options{CAPEM: string(ca), ServerName: "kafka.example.org"})
	if err != nil {
		fmt.Println(err)
		return
	}
	host, port, _ := broker.ParseAddress(address)
	_, err = broker.Dial(context.Background(), broker.Config{Host: host, Port: port, Transport: secure})
	var failed *tls.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Reason)
		fmt.Println(failed.Hint())
		fmt.Println(failed.Certificates[0].DNSNames[0])
	}
	// Output:
	// wrong-host
	// use a name in the certificate, add a subject alternative name, or set Options.ServerName (ssl_server_name)
	// example.com
}

// The dial function alone, for other kinds of connections.
func ExampleDial() {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})

	dial, err := tls.Dial(tcp.Dial(tcp.Options{}), tls.Options{CAPEM: string(ca), ServerName: "example.com"})
	if err != nil {
		fmt.Println(err)
		return
	}
	conn, err := dial(context.Background(), "tcp", server.Listener.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	secure := conn.(*tls.Conn)
	if err := secure.Handshake(); err != nil {
		fmt.Println(err)
		return
	}
	state := secure.ConnectionState()
	fmt.Println(state.HandshakeComplete, state.PeerCertificates[0].DNSNames[0], secure.ClientCertRequested())
	// Output: true example.com false
}

// The inspection of a server whose certificate is not trusted.
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
	if why := new(tls.Error); errors.As(seen.VerifyErr, &why) {
		fmt.Println(why.Reason.Sentence())
	}
	if required, known := seen.Required(); known {
		fmt.Println("it demands a client certificate:", required)
	}
	// Output:
	// O=Acme Co
	// the broker's certificate is self-signed and not trusted
	// it demands a client certificate: false
}
