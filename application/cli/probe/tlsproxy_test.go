package probe

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
	"syscall"
	"testing"

	"brokerconn/acceptance/proxies"
)

// TestTLSThroughProxy has hosts that only the proxy finds.
func TestTLSThroughProxy(t *testing.T) {
	ca := newAuthority(t, "an authority")
	address, _ := secureServer(t, &tls.Config{
		Certificates: []tls.Certificate{ca.issue(func(c *x509.Certificate) {
			c.DNSNames, c.IPAddresses = []string{"inside.invalid"}, nil
		})},
		ClientAuth: tls.RequestClientCert,
	})
	kafka, _ := fakeKafka(t)
	inside := map[string]string{"9093": address, "9092": kafka, "80": web(t)}
	dial := func(network, address string) (net.Conn, error) {
		if target := inside[strings.TrimPrefix(address, "inside.invalid:")]; target != "" {
			return net.Dial(network, target)
		}
		return nil, syscall.ECONNREFUSED
	}
	client := ca.issue()
	socks5 := &proxies.Socks5{Dial: dial}
	connect := &proxies.Connect{Dial: dial, Username: "u", Password: canary}
	for _, proxy := range []string{
		"socks5h://" + proxies.Listen(t, socks5.Serve),
		"http://u:" + canary + "@" + proxies.Listen(t, connect.Serve),
	} {
		through := func(args ...string) outcome {
			return probe(t, append(args, "-X", "proxy_url="+proxy, "--timeout", short)...)
		}
		o := through("tls", "inside.invalid:9093", "--json", "-X", "ssl_cafile="+ca.file(),
			"-X", "ssl_certfile="+certificateFile(t, client.Certificate...), "-X", "ssl_keyfile="+keyFile(t, client))
		d := decode[tlsDocument](t, o.succeeded(t))
		if i := d.ClientCertificate; !d.Verified || d.ServerName != "inside.invalid" ||
			is(i.Required) != "false" || is(i.Accepted) != "true" || is(d.Resumption.Resumed) != "true" {
			t.Errorf("got %s, want a verified broker that accepts the client certificate", o.stdout)
		}
		through("tls", "inside.invalid:9092").failed(t, exitTLS, "Kafka's ApiVersions in plaintext")
		through("tls", "inside.invalid:80").failed(t, exitTLS, "HTTP")
		through("tls", "inside.invalid:1").failed(t, exitTCP, "proxy")
		// Other commands identify a port through the proxy too.
		through("apis", "inside.invalid:80", "--client-id", "five5").failed(t, exitProtocol, "HTTP")
		through("apis", "inside.invalid:9093", "--client-id", "five5").failed(t, exitTLS, "TLS")
	}
}
