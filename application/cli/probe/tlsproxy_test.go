package probe

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"syscall"
	"testing"

	"brokerconn/adapters/netlink/tunnel/tunneltest"
)

// Behind a proxy there is a host that nobody else can find.
func TestTLSThroughAProxy(t *testing.T) {
	ca := newAuthority(t, "an authority")
	address, _ := secureServer(t, &tls.Config{
		Certificates: []tls.Certificate{ca.issue(func(c *x509.Certificate) { c.DNSNames, c.IPAddresses = []string{"inside.invalid"}, nil })},
		ClientAuth:   tls.RequestClientCert,
	})
	kafka, _ := fakeKafka(t)
	inside := map[string]string{"inside.invalid:9093": address, "inside.invalid:9092": kafka, "inside.invalid:80": web(t)}
	dial := func(network, address string) (net.Conn, error) {
		if there := inside[address]; there != "" {
			return net.Dial(network, there)
		}
		return nil, syscall.ECONNREFUSED
	}
	mine := ca.issue()
	for _, proxy := range []string{
		"socks5h://" + tunneltest.Listen(t, (&tunneltest.Socks5{Dial: dial}).Serve),
		"http://u:" + canary + "@" + tunneltest.Listen(t, (&tunneltest.Connect{Dial: dial, Username: "u", Password: canary}).Serve),
	} {
		through := []string{"-X", "proxy_url=" + proxy, "--timeout", short}
		look := func(more ...string) outcome { return probe(t, append(append([]string{"tls"}, more...), through...)...) }

		o := look("inside.invalid:9093", "--json", "-X", "ssl_cafile="+ca.file(), "-X", "ssl_certfile="+certificateFile(t, mine.Certificate...), "-X", "ssl_keyfile="+keyFile(t, mine))
		o.succeeded(t)
		d := decode[tlsDocument](t, o)
		if !d.Verified || d.ServerName != "inside.invalid" || is(d.ClientCertificate.Required) != "false" || is(d.ClientCertificate.Accepted) != "true" || is(d.Resumption.Resumed) != "true" {
			t.Errorf("%s", o.stdout)
		}
		look("inside.invalid:9092").failed(t, exitTLS, "Kafka's ApiVersions in clear")
		look("inside.invalid:80").failed(t, exitTLS, "HTTP")
		look("inside.invalid:1").failed(t, exitTCP, "proxy")
		// So do the questions of the other commands.
		probe(t, append([]string{"apis", "inside.invalid:80", "--client-id", "five5"}, through...)...).failed(t, exitProtocol, "HTTP")
		probe(t, append([]string{"apis", "inside.invalid:9093", "--client-id", "five5"}, through...)...).failed(t, exitTLS, "TLS")
	}
}
