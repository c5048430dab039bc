package matrix

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brokerconn/acceptance/driver"
	"brokerconn/adapters/netlink"
	"brokerconn/adapters/simulation"
	brokertls "brokerconn/adapters/tls"
	"brokerconn/application/sim"
	"brokerconn/ports"
)

// TLS in a bubble is that of crypto/tls, at both ends, where a handshake fails: in front of the model of a broker a
// server ends it, and passes the bytes on at no distance. Handshakes that do not fail are stages of the simulated link.

// realTLS reports whether the plan has handshakes that fail.
func (s *stage) realTLS() bool {
	return slices.ContainsFunc(s.plan.Steps, fails)
}

func fails(step sim.Step) bool { return tlsVerbs[step.Verb] != nil }

// pki has the certificates of one run.
type pki struct {
	trusted, lapsed, foreign *authority // the list of revoked certificates of the second one has expired
	serial                   int64
}

type authority struct {
	cert *x509.Certificate
	key  ed25519.PrivateKey
}

func newPKI() *pki {
	p := &pki{}
	p.trusted, p.lapsed, p.foreign = p.authority("a"), p.authority("b"), p.authority("c")
	return p
}

func (p *pki) authority(name string) *authority {
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, NotAfter: time.Now().Add(1000 * time.Hour)}
	cert := p.sign(template, nil)
	return &authority{cert.Leaf, cert.PrivateKey.(ed25519.PrivateKey)}
}

// server returns a certificate of a server, which is valid for some time from an hour ago on.
func (p *pki) server(by *authority, host string, life time.Duration) tls.Certificate {
	return p.sign(&x509.Certificate{Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(life - time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, by)
}

func (p *pki) sign(template *x509.Certificate, by *authority) tls.Certificate {
	p.serial++
	template.SerialNumber = big.NewInt(p.serial)
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err) // which rand never returns
	}
	if by == nil {
		by = &authority{template, key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.cert, public, by.key)
	if err != nil {
		panic(err) // the templates are those of this file
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// revocations returns the list of an authority, in PEM.
func (a *authority) revocations(next time.Time, serials ...*big.Int) []byte {
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-2 * time.Hour), NextUpdate: next}
	for _, n := range serials {
		entry := x509.RevocationListEntry{SerialNumber: n, RevocationTime: time.Now().Add(-time.Hour)}
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, entry)
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.cert, a.key)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}

func (a *authority) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
}

// life is that of certificates that have not expired.
const life = 100 * time.Hour

// secure makes the transport of a client with TLS, and the servers: a broker that is well, and those with faults.
func (s *stage) secure(t *testing.T) {
	p := newPKI()
	s.behind = simulation.NewNetwork(s.world)
	s.behind.SetSite("broker", simulation.Site{Accept: s.broker.Accept})
	with := func(c tls.Certificate) *tls.Config { return &tls.Config{Certificates: []tls.Certificate{c}} }
	good, revoked := p.server(p.trusted, "broker", life), p.server(p.trusted, "broker", life)
	client := p.server(p.foreign, "client", life)
	crl := filepath.Join(t.TempDir(), "revoked.pem")
	list := slices.Concat(p.trusted.revocations(time.Now().Add(life), revoked.Leaf.SerialNumber),
		p.lapsed.revocations(time.Now().Add(-time.Minute)))
	if err := os.WriteFile(crl, list, 0o600); err != nil {
		t.Fatal(err)
	}
	options := brokertls.Options{CAPEM: p.trusted.pem() + p.lapsed.pem(), CRLFile: crl}
	broken, old, asks, refuses := with(good), with(good), with(good), with(good)
	broken.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return nil, errors.New("no") }
	other := with(good)
	other.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256} // no client has it by default
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	asks.ClientAuth, refuses.ClientAuth = tls.RequireAnyClientCert, tls.RequireAndVerifyClientCert
	refuses.ClientCAs = x509.NewCertPool()
	refuses.ClientCAs.AddCert(p.trusted.cert)
	s.servers = map[int64]*tls.Config{-1: with(good), 0: broken, 1: with(p.server(p.trusted, "broker", time.Minute)),
		2: with(p.server(p.trusted, "another", life)), 3: with(p.server(p.foreign, "broker", life)), 4: with(revoked),
		5: with(p.server(p.lapsed, "broker", life)), 6: old, 7: other, 8: asks, 9: refuses}
	if slices.ContainsFunc(s.plan.Steps, func(step sim.Step) bool { return fails(step) && step.N == 9 }) {
		key, err := x509.MarshalPKCS8PrivateKey(client.PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		options.CertPEM = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: client.Leaf.Raw}))
		options.KeyPEM = ports.NewSecret(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	}
	under := &netlink.Transport{Lookup: s.net.LookupEndpoints, Dial: s.net.DialContext}
	var err error
	if s.transport, err = brokertls.New(under, options); err != nil {
		t.Fatal(err)
	}
	s.accept = s.serves(-1, 0)
	for _, step := range s.plan.Steps {
		if step.Verb != "tls-alert" {
			continue
		}
		well := s.accept
		s.accept = func(p *simulation.Peer) {
			s.accept = well
			s.serves(step.N, 0)(p)
		}
	}
}

// serves returns the Accept of a server that has a fault: see handshakeErrors of application/sim; -1: it has none.
func (s *stage) serves(fault int64, most uint16) func(*simulation.Peer) {
	return func(p *simulation.Peer) {
		under := p.Conn()
		s.serving.Go(func() {
			defer under.Close()
			switch fault {
			case 10, 11, 12: // once it has read the first message
				_, _ = under.Read(make([]byte, 16<<10))
				if fault == 10 {
					_, _ = io.WriteString(under, strings.Repeat("HTTP/1.1 400 Bad Request\r\n", 2))
				}
				if fault == 12 {
					p.Reset()
				}
				return
			}
			config := s.servers[fault].Clone()
			if most > 0 && config.MaxVersion == 0 {
				config.MaxVersion = most
			}
			s.serve(tls.Server(under, config))
		})
	}
}

// serve passes the bytes of a link on to the broker.
func (s *stage) serve(front *tls.Conn) {
	defer front.Close()
	if front.Handshake() != nil {
		_, _ = io.Copy(io.Discard, front.NetConn()) // until the client has read the alert
		return
	}
	back, err := s.behind.DialContext(context.Background(), "tcp", "broker")
	if err != nil {
		return
	}
	driver.Forward(front, back)
}

// tlsVerbs are handshakes that fail: up to TLS 1.2 before the client has finished its side, and with TLS 1.3 behind it.
var tlsVerbs = map[string]verb{
	"tls-fails": sites(func(s *stage, step sim.Step) simulation.Site {
		return simulation.Site{Accept: s.serves(step.N, tls.VersionTLS12)}
	}),
	"tls-alert": func(*stage, sim.Step) {}, // of the first link: it was accepted by a server that sends one
}
