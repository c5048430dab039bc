package tls

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/ports"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/netlink"
	"brokerconn/adapters/tcp"
	"brokerconn/application/broker"
)

// What users have of it: a broker.Conn and a broker.Polled over TLS, against a peer
// that follows a script.

// kafkaServer shakes hands and answers ApiVersions and Metadata, of one broker,
// number 4711.
func kafkaServer(config *tls.Config) func(net.Conn) {
	return func(under net.Conn) {
		conn := tls.Server(under, config)
		defer conn.Close()
		if conn.Handshake() != nil {
			return
		}
		size := make([]byte, 4)
		for {
			if _, err := io.ReadFull(conn, size); err != nil {
				return
			}
			request := make([]byte, binary.BigEndian.Uint32(size))
			if _, err := io.ReadFull(conn, request); err != nil || len(request) < 8 {
				return
			}
			version := int16(binary.BigEndian.Uint16(request[2:]))
			var answer kmsg.Response
			switch key := int16(binary.BigEndian.Uint16(request)); key {
			case 18:
				versions := kmsg.NewPtrApiVersionsResponse()
				versions.ApiKeys = []kmsg.ApiVersionsResponseApiKey{{ApiKey: 18, MaxVersion: 4}, {ApiKey: 3}}
				answer = versions
			case 3:
				metadata := kmsg.NewPtrMetadataResponse()
				metadata.Brokers = []kmsg.MetadataResponseBroker{{NodeID: 4711}}
				answer = metadata
			default:
				return
			}
			answer.SetVersion(version)
			frame := answer.AppendTo(append(make([]byte, 4), request[4:8]...))
			binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
			if _, err := conn.Write(frame); err != nil {
				return
			}
		}
	}
}

func configFor(t *testing.T, address string, o Options) broker.Config {
	t.Helper()
	host, port, err := broker.ParseAddress(address)
	mustDo(t, err)
	return broker.Config{Host: host, Port: port, Transport: must(New(tcp.New(tcp.Options{}), o))}
}

var askers = map[string]func(*testing.T, broker.Config) (int32, error){"Conn": askConn, "Polled": askPolled}

// askConn and askPolled ask for the metadata, and say which broker answered.
func askConn(t *testing.T, cfg broker.Config) (id int32, err error) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := broker.Dial(ctx, cfg)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close(); <-conn.Done() }()
	answer, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, conn)
	if err != nil {
		return 0, err
	}
	return answer.Brokers[0].NodeID, nil
}

func askPolled(t *testing.T, cfg broker.Config) (id int32, err error) {
	conn := must(broker.NewPolled(cfg))
	defer conn.Close(nil)
	for conn.Connect() != broker.Connected {
		if conn.BlackedOut() {
			return 0, conn.Stats().LastError
		}
		await(conn)
	}
	future := conn.Send(kmsg.NewPtrMetadataRequest(), true)
	for {
		conn.Recv()
		select {
		case <-future.Done():
			answer, err := future.Response()
			switch {
			case errors.Is(err, broker.ErrNotConnected): // the peer spoke before the request was admitted
				return 0, conn.Stats().LastError
			case err != nil:
				return 0, err
			}
			return answer.(*kmsg.MetadataResponse).Brokers[0].NodeID, nil
		default:
			await(conn)
		}
	}
}

func await(conn *broker.Polled) {
	news := make(chan struct{}, 1)
	conn.Watch(func() {
		select {
		case news <- struct{}{}:
		default:
		}
	})
	select {
	case <-news:
	case <-time.After(time.Until(conn.NextDeadline())):
	}
}

func TestBroker(t *testing.T) {
	for name, ask := range askers {
		for _, version := range versions {
			t.Run(name+" "+tls.VersionName(version), func(t *testing.T) {
				ca := newCA("the authority")
				mine := ca.issue()
				address := listen(t, kafkaServer(ca.verifying(version)))
				good := Options{CAPEM: ca.pem(), Clock: clock(), CertPEM: chainPEM(mine),
					KeyPEM: ports.NewSecret(keyPEM(mine))}
				cfg := configFor(t, address, good)
				for range 3 { // the later ones resume
					if id, err := ask(t, cfg); err != nil || id != 4711 {
						t.Fatalf("%d %v", id, err)
					}
				}

				refused := func(address string, want Reason, change func(*Options)) {
					t.Helper()
					o := good
					change(&o)
					_, err := ask(t, configFor(t, address, o))
					wantReason(t, err, want)
					var e *broker.Error
					if !errors.As(err, &e) || !errors.Is(err, broker.ErrTLS) || e.Hint == "" {
						t.Errorf("%+v", err)
					}
				}
				refused(address, CertificateRequired, func(o *Options) { o.CertPEM, o.KeyPEM = "", ports.Secret{} })
				refused(address, UnknownAuthority, func(o *Options) { o.CAPEM = newCA("a stranger").pem() })
				refused(address, WrongHost, func(o *Options) { o.ServerName = "other.test" })
				plain := listen(t, func(conn net.Conn) { _, _ = conn.Read(make([]byte, 4096)) })
				refused(plain, CutOff, func(*Options) {})
			})
		}
	}
}

// shortConn ends, or falls silent, behind so many bytes of the peer's.
type shortConn struct {
	net.Conn
	left   int
	silent bool
}

func (c *shortConn) Read(p []byte) (int, error) {
	if c.left == 0 && !c.silent {
		_ = c.Close() // a pipe holds nothing: who writes to it would wait
		return 0, io.EOF
	}
	for c.left == 0 {
		if _, err := c.Conn.Read(make([]byte, 4096)); err != nil {
			return 0, err
		}
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// A handshake that is cut off fails at once, at any byte; one that stalls fails at the
// setup timeout.
func TestBrokerIsCutOffAndStalls(t *testing.T) {
	ca := newCA("the authority")
	cert := ca.issueFor(newFixedKey())
	for _, version := range versions {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			server := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: version, MaxVersion: version,
				CurvePreferences: []tls.CurveID{tls.X25519}}
			o := ca.options()
			o.NoResumption = true
			whole, err := handshakeThrough(t, server, o, 1<<20, true)
			mustDo(t, err)
			dial := func(t *testing.T, left int, silent bool) (took time.Duration, err error) {
				synctest.Test(t, func(t *testing.T) {
					next := func(context.Context, string, string) (net.Conn, error) {
						ours, theirs := net.Pipe()
						go kafkaServer(server)(theirs)
						return &shortConn{Conn: ours, left: left, silent: silent}, nil
					}
					secured := must(New(&netlink.Transport{Dial: next}, o))
					began := time.Now()
					_, err = askConn(t, broker.Config{Transport: secured, SetupTimeout: 5 * time.Second})
					took = time.Since(began)
				})
				return took, err
			}
			for cut := range whole {
				took, err := dial(t, cut, false)
				wantReason(t, err, CutOff)
				if !errors.Is(err, broker.ErrTLS) || took != 0 {
					t.Errorf("cut at %d: after %v, %v", cut, took, err)
				}
			}
			for _, stall := range []int{0, 1, 5, whole / 2, whole - 1} {
				took, err := dial(t, stall, true)
				var e *broker.Error
				if !errors.Is(err, broker.ErrSetupTimeout) || !errors.As(err, &e) || e.Phase != broker.Handshake ||
					took != 5*time.Second {
					t.Errorf("stalls at %d: after %v, %v", stall, took, err)
				}
			}
			if _, err := dial(t, 1<<20, false); err != nil {
				t.Error(err)
			}
		})
	}
}
