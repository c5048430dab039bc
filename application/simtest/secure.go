package simtest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"testing/cryptotest"
	"time"

	"brokerconn/adapters/netlink"
	"brokerconn/adapters/simulation"
	ourtls "brokerconn/adapters/tls"
	"brokerconn/ports"
)

// TLS is crypto/tls's, at both ends: in front of the model of a broker a server ends it, and passes
// the bytes on over a network of its own, at no distance.

// secure is that part of a World.
type secure struct {
	behind  *simulation.Network // between the ends of TLS and the models
	servers sync.WaitGroup
	fronts  sync.Map // of *simulation.Peer: *tls.Conn, once its handshake is done
	serials int64
	client  *netlink.Transport // of World.Config, if Options.TLS is set
}

// seedCrypto makes crypto/rand return numbers that depend on the seed, until the test ends. It
// returns false if t is parallel, or within a test that is: crypto/rand belongs to all of them.
func seedCrypto(t *testing.T, seed uint64) (ok bool) {
	defer func() { ok = recover() == nil }()
	cryptotest.SetGlobalRandom(t, seed)
	return true
}

// authority signs all certificates.
var authority = sync.OnceValue(func() tls.Certificate {
	return issue(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "simtest authority"},
		NotBefore: time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil)
})

// issue signs a certificate, of which the key depends on its name alone. It is signed by itself if
// signer is nil.
func issue(template *x509.Certificate, signer *tls.Certificate) tls.Certificate {
	seed := sha256.Sum256([]byte("key of " + template.Subject.CommonName))
	key := ed25519.NewKeyFromSeed(seed[:])
	parent, by := template, key
	if signer != nil {
		parent, by = signer.Leaf, signer.PrivateKey.(ed25519.PrivateKey)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), by)
	if err == nil {
		template, err = x509.ParseCertificate(der)
	}
	if err != nil {
		panic("simtest: certificate of " + template.Subject.CommonName + ": " + err.Error())
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: template}
}

// Authority returns the certificate of the authority that signs those of the brokers, in PEM: the
// CAPEM of package tls. It is the same in every run.
func (w *World) Authority() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority().Leaf.Raw}))
}

// Certificate returns a certificate for hosts, of a server or of a client, with its key. It is signed
// by Authority, and valid from now on for life. The first host is its common name.
func (w *World) Certificate(life time.Duration, hosts ...string) tls.Certificate {
	if len(hosts) == 0 {
		panic("simtest: Certificate needs a host")
	}
	w.mu.Lock()
	w.serials++
	serial := w.serials
	w.mu.Unlock()
	by := authority()
	return issue(&x509.Certificate{
		SerialNumber: big.NewInt(1 + serial), Subject: pkix.Name{CommonName: hosts[0]}, DNSNames: hosts,
		NotBefore: w.Now(), NotAfter: w.Now().Add(life), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, &by)
}

// lifetime is that of the brokers' own certificates.
const lifetime = 365 * 24 * time.Hour

// serverTLS returns what Options.TLS gives to a server.
func (w *World) serverTLS(host string) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{w.Certificate(lifetime, host)}}
}

// ServeTLS makes a broker accept TLS only on new connections, with the configuration of a server;
// without TLS if it is nil. With Options.TLS all brokers begin with a certificate for their host.
func (w *World) ServeTLS(brokerIndex int, config *tls.Config) {
	n := w.node(brokerIndex)
	if config == nil {
		n.listen(w, n.model.Accept)
		return
	}
	w.foreign.Store(true) // the server has goroutines
	w.behind.SetSite(n.address, simulation.Site{Accept: n.model.Accept})
	n.listen(w, func(p *simulation.Peer) {
		w.servers.Go(func() { w.serveTLS(n, p, config) })
	})
}

// internalError is an alert of TLS.
var internalError = []byte{0x15, 3, 3, 0, 2, 2, 80}

// serveTLS is one connection.
func (w *World) serveTLS(n *node, p *simulation.Peer, config *tls.Config) {
	under := p.Conn()
	front := tls.Server(under, config)
	defer front.Close()
	if err := front.Handshake(); err != nil {
		if _, foreign := errors.AsType[tls.RecordHeaderError](err); foreign {
			_, _ = under.Write(internalError) // as Java's servers do; crypto/tls sends nothing
		}
		_, _ = io.Copy(io.Discard, under) // until the client has read the alert
		return
	}
	w.fronts.Store(p, front)
	defer w.fronts.Delete(p)
	back, err := w.behind.DialContext(context.Background(), "tcp", n.address)
	if err != nil {
		return
	}
	w.servers.Go(func() {
		_, _ = io.Copy(back, front)
		_ = back.Close()
	})
	if _, err = io.Copy(front, back); errors.Is(err, simulation.ErrReset) {
		p.Reset()
	}
	_ = back.Close()
}

// Transport returns the network as a transport without TLS, also with Options.TLS, for those who
// wrap it:
//
//	cfg.Transport, err = tls.New(w.Transport(), tls.Options{CAPEM: w.Authority(), ServerName: "another"})
func (w *World) Transport() *netlink.Transport {
	w.foreign.Store(true) // its conns have goroutines
	return &netlink.Transport{Lookup: w.net.LookupEndpoints, Dial: w.dial}
}

func (w *World) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := w.net.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return &recordedConn{conn, w, w.newLink(), address}, nil
}

// secureTransport returns the transport of World.Config.
func (w *World) secureTransport() ports.Transport {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.client == nil {
		var err error
		if w.client, err = ourtls.New(w.Transport(), ourtls.Options{CAPEM: w.Authority()}); err != nil {
			panic("simtest: " + err.Error())
		}
	}
	return w.client
}
