package netlink_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"testing"
	"time"

	"brokerconn/acceptance/proxies"
	"brokerconn/adapters/netlink"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// A dial function may return a bare tls.Conn. Once a write of one timed out, all
// later ones fail, so it shows that no deadline ever reaches its writes.
func TestBareTLS(t *testing.T) {
	cert := selfSigned(t)
	porttest.Transport(t, func(t *testing.T) porttest.Harness {
		l := proxies.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
		t.Cleanup(func() { _ = l.Close() })
		dial := func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			ep, _ := netlink.EndpointFrom(ctx)
			roots := x509.NewCertPool()
			roots.AddCert(cert.Leaf)
			return tls.Client(conn, &tls.Config{ServerName: ep.Host, RootCAs: roots}), nil
		}
		addr := l.Addr().(*net.TCPAddr)
		return porttest.Harness{
			Transport: &netlink.Transport{Dial: dial, Secure: true}, Host: "127.0.0.1", Port: uint16(addr.Port),
			Endpoint: ports.Endpoint{Host: "127.0.0.1", Network: "tcp", Address: addr.String(), Secure: true},
			Accept:   accept(t, l, &tls.Config{Certificates: []tls.Certificate{cert}}),
		}
	})
}

// accept shakes hands as soon as a connection comes in: the link waits for it.
func accept(t *testing.T, l net.Listener, config *tls.Config) func() io.ReadWriteCloser {
	ready := make(chan net.Conn, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			server := tls.Server(conn, config)
			if server.Handshake() == nil {
				ready <- server
			} else {
				_ = server.Close()
			}
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
	return func() io.ReadWriteCloser { return <-ready }
}

func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key := proxies.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der := proxies.Must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))(t)
	leaf := proxies.Must(x509.ParseCertificate(der))(t)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
