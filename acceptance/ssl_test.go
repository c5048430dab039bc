//go:build acceptance

package acceptance

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/tcp"
	"brokerconn/adapters/tls"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// TestSSL: the secure listeners of brokers of three releases, with right and wrong
// options. Brokers before 0.10 have no ApiVersions, so their release is configured; once
// also that of the newest, where a fault shows only at the first request.
func TestSSL(t *testing.T) {
	both := [][]Listener{{SSL, SSLClientAuth}}
	for _, c := range []struct {
		version  string
		brokers  [][]Listener // 0.9 demands certificates on all secure listeners or on none
		releases []broker.Release
	}{
		{Newest, both, []broker.Release{{}, {Major: 4, Minor: 4}}},
		{"2.8.2", both, []broker.Release{{}, {Major: 2, Minor: 8}}},
		{"0.9.0.1", [][]Listener{{SSL}, {SSLClientAuth}}, []broker.Release{{Minor: 9}}},
	} {
		for _, listeners := range c.brokers {
			b := privateBroker(t, Config{Version: c.version, Listeners: listeners})
			for _, release := range c.releases {
				for _, l := range slices.Concat(listeners, []Listener{Plaintext}) {
					t.Run(strings.Join([]string{c.version, "api_version", release.String(), string(l)}, " "),
						func(t *testing.T) { target{b, l, release}.test(t) })
				}
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// target is a listener of a broker whose release is configured, or not.
type target struct {
	b        *Broker
	listener Listener
	release  broker.Release
}

func (d target) test(t *testing.T) {
	files := d.b.ClientFiles()
	trusting := tls.Options{CAFile: files.CA}
	known := tls.Options{CAFile: files.CA, CertFile: files.Cert, KeyFile: files.Key}
	other := must(newAuthority("another authority"))(t)
	stranger := must(other.issue("stranger"))(t)
	strange := tls.Options{CAFile: files.CA, CertPEM: string(stranger.certPEM()),
		KeyPEM: ports.NewSecret(string(stranger.keyPEM()))}

	if d.listener == Plaintext {
		d.serves(t, d.config(t))
		e := d.refuses(t, d.secured(t, trusting), tls.CutOff)
		if !errors.Is(e, broker.ErrTLS) || !strings.Contains(e.Hint, "without TLS") {
			t.Errorf("TLS on a port without it: got %v", e)
		}
		return
	}
	// A listener that requests no client certificate accepts a client with any.
	good, bad := []tls.Options{trusting, known, strange}, map[tls.Reason]tls.Options{}
	if d.listener == SSLClientAuth {
		good = []tls.Options{known}
		bad[tls.CertificateRequired], bad[tls.CertificateRefused] = trusting, strange
	}
	for _, o := range good {
		d.serves(t, d.secured(t, o))
	}
	for reason, o := range bad {
		d.refuses(t, d.secured(t, o), reason)
	}

	untrusting := known
	untrusting.CAFile, untrusting.CAPEM = "", string(other.certPEM())
	d.refuses(t, d.secured(t, untrusting), tls.UnknownAuthority)
	// As after the broker has moved to another name.
	elsewhere := d.secured(t, known)
	elsewhere.Host = "elsewhere.test"
	d.refuses(t, elsewhere, tls.WrongHost)

	err := d.first(t, d.config(t))
	var e *broker.Error
	if !errors.As(err, &e) || !errors.Is(err, broker.ErrTLSExpected) || e.Attempt > 1 ||
		!strings.Contains(e.Hint, "TLS") {
		t.Errorf("no TLS on a port with it: got %v", err)
	}
}

// never is a time limit that no test reaches: an event comes at once, or the test waits
// until its patience ends.
const never = time.Hour

// config is for a listener without TLS.
func (d target) config(t *testing.T) broker.Config {
	t.Helper()
	cfg := configAt(t, d.b, d.listener)
	cfg.APIVersion = d.release
	cfg.APIVersionTimeout, cfg.SetupTimeout, cfg.RequestTimeout = never, never, never
	cfg.ReconnectBackoff, cfg.ReconnectBackoffMax = never, never
	return cfg
}

// secured is config with TLS, and with an address for every host.
func (d target) secured(t *testing.T, o tls.Options) broker.Config {
	t.Helper()
	cfg := d.config(t)
	under := tcp.New(tcp.Options{})
	under.Lookup = func(context.Context, string, uint16) ([]ports.Endpoint, error) {
		return []ports.Endpoint{{Network: "tcp", Address: d.b.AddrOf(d.listener)}}, nil
	}
	transport := must(tls.New(under, o))(t)
	cfg.Transport = transport
	return cfg
}

// serves checks two round trips of a record, the second with a session to resume, and that
// a Polled is answered.
func (d target) serves(t *testing.T, cfg broker.Config) {
	t.Helper()
	for range 2 {
		if err := roundTrip(t, d.b, cfg); err != nil {
			t.Error(err)
		}
	}
	p := newLoop(t, cfg)
	defer p.Close(nil)
	p.mustAnswer()
}

// refuses checks the first error of a Conn and of a Polled, and returns it. It is that of
// the first attempt.
func (d target) refuses(t *testing.T, cfg broker.Config, want tls.Reason) *broker.Error {
	t.Helper()
	var first *broker.Error
	for _, err := range []error{d.first(t, cfg), d.firstPolled(t, cfg)} {
		var verdict *tls.Error
		if !errors.As(err, &first) || !errors.Is(err, broker.ErrTLS) || first.Attempt > 1 || first.Hint == "" {
			t.Fatalf("got %[2]v, want %[1]v", want, err)
		}
		if !errors.As(err, &verdict) || verdict.Reason != want {
			t.Fatalf("got %[2]v, want %[1]v", want, err)
		}
	}
	return first
}

// first returns the error of a Conn or of its first request.
func (d target) first(t *testing.T, cfg broker.Config) error {
	t.Helper()
	return over(t, cfg, askMetadata)
}

// firstPolled is first on a Polled.
func (d target) firstPolled(t *testing.T, cfg broker.Config) error {
	t.Helper()
	p := newLoop(t, cfg)
	defer p.Close(nil)
	p.until(time.Time{}, "a connection or its failure", func() bool {
		return p.Connect() == broker.Connected || p.BlackedOut()
	})
	if !p.Connected() {
		return p.Stats().LastError
	}
	f := p.Send(kmsg.NewPtrMetadataRequest(), false)
	p.until(time.Time{}, "the end of a request", func() bool { return isDone(f) })
	_, err := f.Response()
	return err
}
