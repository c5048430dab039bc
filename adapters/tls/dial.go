package tls

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"brokerconn/adapters/netlink"
)

// New returns a transport that adds TLS to the links of under and marks its endpoints as
// Secure, and as Verified if the chain and the host of the certificate are verified. The
// error joins an *OptionError for each invalid option.
func New(under *netlink.Transport, o Options) (*netlink.Transport, error) {
	dial, _, err := dialTLS(under.Dial, o)
	if err != nil {
		return nil, err
	}
	unsafe := o.Warnings()
	return &netlink.Transport{
		Dial: dial, Lookup: under.Lookup, AtOnce: under.AtOnce,
		Prompt: under.Prompt && o.Config == nil, // whose functions are the program's
		Secure: true, Verified: under.Verified || len(unsafe) == 0,
		Unsafe: slices.Concat(under.Unsafe, unsafe),
	}, nil
}

// Dial returns a function that dials with next and returns a *Conn before its
// handshake, which is netlink's to run. The name to verify is the Host of the
// endpoint in the context, see netlink.EndpointFrom; without one it is the host of
// the address. The first connection has the Warnings of the options. The error joins an
// *OptionError for each invalid option.
func Dial(next netlink.DialFunc, o Options) (netlink.DialFunc, error) {
	dial, files, err := dialTLS(next, o)
	if err != nil {
		return nil, err
	}
	for _, text := range o.Warnings() {
		files.warn(text)
	}
	return dial, nil
}

func dialTLS(next netlink.DialFunc, o Options) (netlink.DialFunc, *loader, error) {
	if next == nil {
		panic("tls: Dial: next is nil")
	}
	if o.Config != nil {
		files := new(loader) // for the warnings alone
		return dialWith(next, o.Config, files), files, nil
	}
	d, err := newDialer(next, o)
	if err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		r, err := d.reach(ctx, network, address)
		if err != nil || r == nil {
			return nil, err
		}
		conn := newConn(r.under, r.config, r.verifier)
		conn.files = d.files
		return conn, nil
	}, d.files, nil
}

// dialer adds TLS to the connections of a dial function.
type dialer struct {
	next   netlink.DialFunc
	o      Options
	suites suiteChoice
	files  *loader
}

func newDialer(next netlink.DialFunc, o Options) (*dialer, error) {
	suites, err := o.check()
	if err != nil {
		return nil, err
	}
	rows.Fill(&o)
	files, err := newLoader(o)
	if err != nil {
		return nil, err
	}
	return &dialer{next, o, suites, files}, nil
}

// reached is a peer before the handshake.
type reached struct {
	under    net.Conn
	config   *tls.Config
	verifier *verifier
}

// reach dials with the current content of the files. It returns nil and no error if next
// does.
func (d *dialer) reach(ctx context.Context, network, address string) (*reached, error) {
	o, now := &d.o, d.o.now()
	name := cmp.Or(bareName(o.ServerName), hostOf(ctx, address))
	if name == "" && !o.AnyHost && !o.AnyCertificate {
		return nil, fmt.Errorf("tls: %s %q has no host name to verify: set Options.ServerName", network, address)
	}
	under, err := d.next(ctx, network, address)
	if err != nil || under == nil {
		return nil, err
	}
	secured := false
	defer func() {
		if !secured { // functions of the user's are called below
			_ = under.Close()
		}
	}()
	material := d.files.look()
	v := &verifier{
		name: name, proxy: netlink.ToProxy(ctx), anyHost: o.AnyHost, anyCertificate: o.AnyCertificate,
		roots: material.roots, authorities: material.authorities, revoked: material.revoked, now: now,
	}
	config := &tls.Config{
		ServerName: name, Time: now,
		MinVersion: d.suites.minVersion, MaxVersion: o.MaxVersion, CipherSuites: d.suites.ids,
		InsecureSkipVerify: true, // the verifier does it all, and when a session is resumed, too
		VerifyConnection:   v.verifyConnection,
		// Sent even if the broker did not name its issuer, as OpenSSL does: the broker's
		// rejection says more than its request for one.
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return material.identity, nil
		},
	}
	if !o.NoResumption {
		session := &sessionOf{kept: material.sessions, key: name + " " + network + " " + address, verifier: v}
		config.ClientSessionCache, config.VerifyConnection = session, session.verify
	}
	secured = true
	return &reached{under, config, v}, nil
}

// dialWith uses a configuration of the user's.
func dialWith(next netlink.DialFunc, config *tls.Config, files *loader) netlink.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		under, err := next(ctx, network, address)
		if err != nil || under == nil {
			return under, err
		}
		own := config.Clone()
		own.ServerName = cmp.Or(own.ServerName, hostOf(ctx, address))
		now := own.Time
		if now == nil {
			now = time.Now
		}
		conn := newConn(under, own, &verifier{name: own.ServerName, proxy: netlink.ToProxy(ctx), now: now})
		conn.files = files
		return conn, nil
	}
}

// hostOf returns the name to verify where the options have none.
func hostOf(ctx context.Context, address string) string {
	host, _, _ := net.SplitHostPort(address)
	if ep, ok := netlink.EndpointFrom(ctx); ok && ep.Host != "" {
		host = ep.Host
	}
	return bareName(host)
}

// bareName returns a host as a certificate has it: without trailing dot, zone and brackets.
func bareName(host string) string {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.WithZone("").String()
	}
	return strings.TrimSuffix(host, ".")
}

func (o *Options) now() func() time.Time {
	if o.Clock == nil {
		return time.Now
	}
	return o.Clock.Now
}
