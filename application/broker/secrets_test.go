package broker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	franzplain "github.com/twmb/franz-go/pkg/sasl/plain"

	"brokerconn/acceptance/fakebroker"
	"brokerconn/adapters/clock/system"
	"brokerconn/adapters/metrics/prometheus"
	"brokerconn/adapters/metrics/recorder"
	"brokerconn/adapters/metrics/sensors"
	"brokerconn/adapters/sasl/franz"
	"brokerconn/adapters/sasl/gssapi"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/adapters/sasl/plain"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/application/broker"
	"brokerconn/application/logging"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// TestNoSecretIsPrinted: logins with every mechanism, good and bad, at brokers good and
// bad, with all on that reports a connection: hooks, logs, metrics, errors, contained
// panics. None of it shows the password or the token.

const secretMark = "canary-of-a-login"

// secretLogins are what logs in, all with the secret.
func secretLogins(t *testing.T, secret string) map[string]ports.Authenticator {
	t.Helper()
	hidden := ports.NewSecret(secret)
	all := map[string]ports.Authenticator{"franz": franz.New(franzplain.Auth{User: "alice", Pass: secret}.AsMechanism(),
		franz.Options{})}
	add := func(name string, a ports.Authenticator, err error) {
		must(t, err)
		all[name] = a
	}
	p, err := plain.New(plain.Options{Username: "alice", Password: hidden})
	add("PLAIN", p, err)
	for _, hash := range []scram.Hash{scram.SHA256, scram.SHA512} {
		s, err := scram.New(hash, scram.Options{Username: "alice", Password: hidden})
		add(s.Mechanism(), s, err)
	}
	o, err := oauthbearer.New(oauthbearer.Options{Tokens: func(context.Context) (oauthbearer.Token, error) {
		return oauthbearer.Token{AccessToken: hidden, Expiry: time.Now().Add(time.Hour)}, nil
	}})
	add("OAUTHBEARER", o, err)
	g, err := gssapi.New(gssapi.Options{Principal: "alice@EXAMPLE.ORG", Password: hidden,
		DomainName: "broker.example.org",
		Config:     "[realms]\n EXAMPLE.ORG = {\n  kdc = kdc\n }\n", Dial: secretKDC})
	add("GSSAPI", g, err)
	return all
}

// secretKDC says what it hears.
func secretKDC(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		received := make([]byte, 1<<16)
		n, _ := theirs.Read(received)
		_, _ = theirs.Write(received[:n])
	}()
	return ours, nil
}

// secretBrokers are those that do not take a login as they should, and say what they
// have heard.
func secretBrokers() map[string]func(net.Conn) {
	var mu sync.Mutex
	offer := ""
	verdict := func(f func(token []byte, resp *kmsg.SASLAuthenticateResponse)) func(net.Conn) {
		return fakebroker.Keeper(func(token []byte) *kmsg.SASLAuthenticateResponse {
			resp := kmsg.NewPtrSASLAuthenticateResponse()
			f(token, resp)
			return resp
		})
	}
	instead := func(f func(conn net.Conn, r fakebroker.Request) []byte) func(net.Conn) {
		return func(conn net.Conn) {
			fakebroker.Serve(conn, func(r fakebroker.Request) []byte {
				switch r.Key {
				case 18:
					return fakebroker.Table(r.Version)
				case 17:
					return make([]byte, 6)
				}
				return f(conn, r)
			})
		}
	}
	return map[string]func(net.Conn){
		"accepts": verdict(func([]byte, *kmsg.SASLAuthenticateResponse) {}),
		"refuses": fakebroker.Keeper(fakebroker.Refuse),
		"the token as reason": verdict(func(token []byte, r *kmsg.SASLAuthenticateResponse) {
			r.ErrorCode, r.ErrorMessage = 58, kmsg.StringPtr(string(token))
		}),
		"the token in a reason": verdict(func(token []byte, r *kmsg.SASLAuthenticateResponse) {
			_, password, _ := strings.Cut(strings.Trim(string(token), "\x00\x01"), "\x00")
			r.ErrorCode, r.ErrorMessage = 58, kmsg.StringPtr(fmt.Sprintf("the login %q with %s is not known", token,
				password))
		}),
		"the token as challenge": verdict(func(token []byte,
			r *kmsg.SASLAuthenticateResponse) {
			r.SASLAuthBytes = token
		}),
		"the token as JSON": verdict(func(token []byte, r *kmsg.SASLAuthenticateResponse) {
			r.SASLAuthBytes = fmt.Appendf(nil, `{"status":%q}`, token)
		}),
		"the token for an answer": instead(func(_ net.Conn, r fakebroker.Request) []byte { return r.Body }),
		"the token for a frame": instead(func(conn net.Conn, r fakebroker.Request) []byte {
			_, _ = conn.Write(r.Body[bytes.IndexByte(r.Body, 'c'):])
			return nil
		}),
		"hangs up": instead(func(conn net.Conn, _ fakebroker.Request) []byte { conn.Close(); return nil }),
		"offers what it heard": func(conn net.Conn) {
			fakebroker.Serve(conn, func(r fakebroker.Request) []byte {
				mu.Lock()
				defer mu.Unlock()
				resp := kmsg.NewPtrSASLHandshakeResponse()
				switch {
				case r.Key == 18:
					return fakebroker.Table(r.Version)
				case r.Key == 36:
					offer = string(r.Body)
					conn.Close()
					return nil
				case offer != "":
					resp.ErrorCode, resp.SupportedMechanisms = 33, []string{"A", "B", "C"}
				}
				return resp.AppendTo(nil)
			})
		},
	}
}

// ear collects all that connections report.
type ear struct {
	mu       sync.Mutex
	text     bytes.Buffer
	recorder *recorder.Recorder
	sensors  *sensors.Registry
	page     *prometheus.Collector
}

func newEar() *ear {
	return &ear{recorder: recorder.New(), sensors: sensors.New("", system.Clock{}),
		page: prometheus.New(prometheus.Options{})}
}

func (e *ear) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.text.Write(p)
}

// listen has everything on. The hooks of failures panic, with their arguments.
func (e *ear) listen(cfg broker.Config, metrics ports.MetricsSink) broker.Config {
	all := &slog.HandlerOptions{Level: slog.LevelDebug}
	h := logging.Hooks(slog.New(slog.NewMultiHandler(slog.NewTextHandler(e, all), slog.NewJSONHandler(e, all))))
	logged, failed := h.AuthDone, h.RequestFailed
	h.AuthDone = func(ep broker.Endpoint, l broker.LoginInfo, err error) {
		logged(ep, l, err)
		fmt.Fprintf(e, "%+v %+v\n", l, err)
		panic(err)
	}
	h.RequestFailed = func(r broker.RequestInfo, err error) {
		failed(r, err)
		panic(fmt.Sprintf("%#v %+v", r, err))
	}
	cfg.Hooks, cfg.Metrics = h, metrics
	return cfg
}

// error hears an error in every way, and those in it.
func (e *ear) error(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		porttest.NoSecrets(t, "an error", err, secretMark)
		fmt.Fprintln(e, err, broker.Retriable(err))
	}
}

// reported checks all of it.
func (e *ear) reported(t *testing.T) {
	t.Helper()
	fmt.Fprintf(e, "%+v\n", e.recorder.Snapshot())
	fmt.Fprintf(e, "%+v\n", e.sensors.Snapshot())
	registry := prom.NewPedanticRegistry()
	registry.MustRegister(e.page)
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	fmt.Fprintln(e, answer.Body)
	e.mu.Lock()
	defer e.mu.Unlock()
	text := e.text.String()
	for _, words := range []string{"logging in", "Logins", "brokerconn_login_failures_total", "a hook panicked"} {
		assert(t, strings.Contains(text, words), "%q was not heard: the test is deaf", words)
	}
	porttest.NoSecretsIn(t, "what is reported", text, secretMark)
}

func TestNoSecretIsPrinted(t *testing.T) {
	good, bad := secretLogins(t, secretMark), secretLogins(t, "wrong "+secretMark)
	t.Run("kfake", func(t *testing.T) {
		// It hangs up on a wrong password, which one may try again as long as one likes.
		cfg := fakeKafka(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "alice", secretMark),
			kfake.Superuser("SCRAM-SHA-256", "alice", secretMark))
		cfg.RequestTimeout = 200 * time.Millisecond
		secretsAt(t, cfg, good, bad, nil, "PLAIN", "SCRAM-SHA-256", "franz")
	})
	for at, serve := range secretBrokers() {
		runBubble(t, at, func(t *testing.T) {
			hosts := (&fakebroker.Hosts{Peer: map[string]func(net.Conn){"a": serve}}).At("a")
			secretsAt(t, hosts.Config(), good, bad, synctest.Wait, slices.Collect(maps.Keys(good))...)
		})
	}
}

// secretsAt logs in to a broker with each of the names. rest waits until no goroutine of a Conn has
// anything to do any more; nil: that cannot be known, and no Conn is printed.
func secretsAt(t *testing.T, cfg broker.Config, good, bad map[string]ports.Authenticator, rest func(),
	names ...string) {
	e := newEar()
	for _, name := range names {
		cfg.Authenticators = []ports.Authenticator{good[name]}
		secretConn(t, e, e.listen(cfg, e.page.Broker("b")), bad[name], rest)
		cfg.Authenticators = []ports.Authenticator{bad[name]}
		secretConn(t, e, e.listen(cfg, e.recorder), good[name], rest)
		secretPolled(t, e, e.listen(cfg, e.sensors.Node("1")), good[name])
	}
	e.reported(t)
}

// secretConn uses a Conn, and has its login replaced.
func secretConn(t *testing.T, e *ear, cfg broker.Config, next ports.Authenticator, rest func()) {
	porttest.NoSecrets(t, "the configuration", cfg, secretMark)
	conn := newConn(t, cfg)
	e.error(t, conn.Connect(t.Context()))
	e.error(t, numbered(t.Context(), conn, 1))
	e.error(t, conn.Reauthenticate(t.Context()))
	conn.SetAuthenticators(next)
	e.error(t, conn.Connect(t.Context()))
	e.error(t, conn.LastError())
	conn.Abort(conn.LastError())
	receive(t, conn.Done())
	if rest != nil {
		rest() // an alarm may have gone off as the Conn ended
	}
	fmt.Fprintf(e, "%+v\n", conn.Stats()) // and the last to hold its lock has let go of it
	if rest != nil {
		porttest.NoSecrets(t, "a Conn", conn, secretMark)
	}
}

func secretPolled(t *testing.T, e *ear, cfg broker.Config, next ports.Authenticator) {
	p := newPolled(t, cfg)
	for attempt := range 2 {
		p.Connect()
		for until := time.Now().Add(5 * time.Second); p.Connecting() && time.Now().Before(until); p.Connect() {
			p.Recv()
			time.Sleep(time.Millisecond)
		}
		e.error(t, p.Stats().LastError)
		if attempt == 0 {
			p.SetAuthenticators(next)
		}
	}
	fmt.Fprintf(e, "%+v\n", p.Stats())
	p.Close(p.Stats().LastError)
	porttest.NoSecrets(t, "a Polled", p, secretMark)
}
