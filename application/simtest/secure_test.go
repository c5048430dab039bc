package simtest_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"brokerconn/acceptance/saslpeer"
	ourtls "brokerconn/adapters/tls"
	"brokerconn/application/broker"
	"brokerconn/application/simtest"
)

func TestConnOverTLS(t *testing.T) {
	simtest.Run(t, simtest.Options{TLS: true, Seeds: 10}, func(w *simtest.World) {
		conn, err := broker.Dial(w.Context(), w.Config(0))
		if err != nil {
			w.Fatalf("dial: %v", err)
		}
		defer conn.Close()
		w.Go(func() { w.Chaos(time.Minute) })
		for w.Elapsed() < time.Minute {
			w.Sleep(time.Second)
			answers(w, conn)
		}
		w.Eventually(30*time.Second, func() bool { return answers(w, conn) })
	})
}

func answers(w *simtest.World, conn *broker.Conn) bool {
	_, err := broker.Ping(w.Context(), conn)
	return err == nil
}

// reasonOf is why a connection with a transport fails: once, and each time.
func reasonOf(w *simtest.World, o ourtls.Options) ourtls.Reason {
	cfg := w.Config(0)
	var err error
	if cfg.Transport, err = ourtls.New(w.Transport(), o); err != nil {
		w.Fatalf("%v", err)
	}
	conn, err := broker.Dial(broker.WithFailFast(w.Context()), cfg)
	if err == nil {
		conn.Close()
		return ourtls.Other
	}
	var reason *ourtls.Error
	if !errors.As(err, &reason) {
		w.Fatalf("got %v, want an error of TLS", err)
	}
	return reason.Reason
}

func TestHandshakesThatFail(t *testing.T) {
	simtest.Run(t, simtest.Options{TLS: true, Seeds: 3}, func(w *simtest.World) {
		good := ourtls.Options{CAPEM: w.Authority()}
		other := ourtls.Options{CAPEM: w.Authority(), ServerName: "broker-1"}
		for _, c := range []struct {
			name    string
			server  func()
			options ourtls.Options
			want    ourtls.Reason
		}{
			{"a name that is not in it", nil, other, ourtls.WrongHost},
			{"the system's authorities", nil, ourtls.Options{}, ourtls.UnknownAuthority},
			{"the certificate of another broker", func() {
				w.ServeTLS(0, &tls.Config{Certificates: []tls.Certificate{w.Certificate(time.Hour, "broker-1")}})
			}, good, ourtls.WrongHost},
			{"it expires", func() {
				w.ServeTLS(0, &tls.Config{Certificates: []tls.Certificate{w.Certificate(time.Minute, "broker-0")}})
				w.Sleep(2 * time.Minute)
			}, good, ourtls.Expired},
			{"a client certificate is required", func() {
				w.ServeTLS(0, &tls.Config{Certificates: []tls.Certificate{w.Certificate(time.Hour, "broker-0")},
					ClientAuth: tls.RequireAnyClientCert})
			}, good, ourtls.CertificateRequired},
			{"the broker has no TLS", func() { w.ServeTLS(0, nil) }, good, ourtls.CutOff},
		} {
			if c.server != nil {
				c.server()
			}
			if got := reasonOf(w, c.options); got != c.want {
				w.Errorf("%s: got %v, want %v", c.name, got, c.want)
			}
		}
	})
}

func TestPlaintextToTLS(t *testing.T) {
	simtest.Run(t, simtest.Options{TLS: true, Seeds: 3}, func(w *simtest.World) {
		cfg := w.Config(0)
		cfg.Transport = w.Transport()
		_, err := broker.Dial(broker.WithFailFast(w.Context()), cfg)
		if !errors.Is(err, broker.ErrTLSExpected) {
			w.Errorf("got %v, want ErrTLSExpected", err)
		}
	})
}

func TestClientCertificates(t *testing.T) {
	simtest.Run(t, simtest.Options{TLS: true, Seeds: 3}, func(w *simtest.World) {
		authorities := x509.NewCertPool()
		authorities.AppendCertsFromPEM([]byte(w.Authority()))
		w.ServeTLS(0, &tls.Config{Certificates: []tls.Certificate{w.Certificate(time.Hour, "broker-0")},
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: authorities})
		cfg := w.Config(0)
		cfg.Transport, _ = ourtls.New(w.Transport(), ourtls.Options{Config: &tls.Config{RootCAs: authorities,
			Certificates: []tls.Certificate{w.Certificate(time.Hour, "a client")}}})
		conn, err := broker.Dial(w.Context(), cfg)
		if err != nil {
			w.Fatalf("%v", err)
		}
		conn.Close()
	})
}

func TestTLSInParallelTests(t *testing.T) {
	t.Parallel()
	saslpeer.Panics(t, "simtest: Options.TLS is not possible in a test that is parallel, or within one that is: "+
		"remove t.Parallel", func() { simtest.Check(t, simtest.Options{TLS: true}, func(*simtest.World) {}) })
}
