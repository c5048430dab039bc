package probe

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
	"unicode"

	brokertls "brokerconn/adapters/tls"
	"brokerconn/application/broker"
	"brokerconn/application/properties"
)

// A port that does not answer Kafka is identified here. Most other servers send something
// that the connection recognises. Two kinds do not. A web server waits for the end of a
// line, and ApiVersions may or may not contain a newline: with a client id of 10 bytes it
// does. A TLS server may close the connection, or wait for the rest of what it takes for a
// record. So a port that stayed silent, or closed the connection when it was asked for its
// API versions, is asked in HTTP and in ZooKeeper's words, and in TLS, over two connections:
// a port with nothing behind it, or with a limit of connections, should not meet many. A port
// that has answered ApiVersions before is not asked.
//
// A web server with TLS may answer plain HTTP with "400 Bad Request" in plain HTTP, to say
// that it expects TLS. So that answer is not enough.

// identify returns err, or a better error if the port is that of another kind of server.
// It is limited by the deadline of ctx.
func (a *app) identify(ctx context.Context, err error) error {
	e, ok := errors.AsType[*broker.Error](err)
	deadline, limited := ctx.Deadline()
	switch {
	case !ok, e.Phase != broker.NegotiatingVersions, e.Address == "", !limited, ctx.Err() != nil:
		return err
	case a.isKafka(e):
		return err // more connections would not help, and may exceed the broker's limit
	case a.settings.Security.TLS():
		return err // the handshake has identified it
	case !errors.Is(e.Kind, broker.ErrSetupTimeout) && e.Kind != broker.ErrConnection:
		return err // the kind identifies it
	}
	a.progress.waitFor("identifying " + e.Address)

	line := a.askLine(ctx, e.Address, time.Until(deadline)/2, lineQuestion)
	isWeb := strings.HasPrefix(line, "HTTP/")
	mayBeTLS := line == "" || unprintable(line) || // unprintable: perhaps an alert
		isWeb && strings.Contains(line, " 400 ")
	switch {
	case mayBeTLS && a.askTLS(ctx, e.Address, time.Until(deadline)):
		return identified(e, broker.ErrTLSExpected,
			errors.New("it answered a TLS ClientHello, and did not answer Kafka's ApiVersions"), "the port expects TLS")
	case isWeb:
		return identified(e, broker.ErrNotKafka,
			fmt.Errorf("it answered an HTTP request with %q", line), "this is a web server (HTTP): check the port")
	case strings.HasPrefix(line, "Zookeeper version"):
		return identified(e, broker.ErrNotKafka,
			errors.New("it answered ZooKeeper's srvr"), "this is ZooKeeper: dial a broker")
	case line != "":
		return identified(e, broker.ErrNotKafka,
			fmt.Errorf("it answered a line of text with %q", line), "this is another protocol: check the port")
	case e.Kind == broker.ErrConnection && a.settings.Proxy.Kind != properties.NoProxy:
		return identified(e, e.Kind, e.Cause, "the tunnel of the proxy "+a.settings.Proxy.Address+" ended: the proxy "+
			"may not reach the broker, or "+e.Hint)
	case e.Kind == broker.ErrConnection:
		return err // it may have closed all these connections
	}
	return identified(e, e.Kind, e.Cause,
		"the port accepts connections but answers neither Kafka's ApiVersions nor HTTP nor a TLS ClientHello")
}

// isKafka reports whether the address is known to be a broker's: it has answered ApiVersions,
// perhaps with an error code.
func (a *app) isKafka(e *broker.Error) bool {
	_, answered := a.kafka.Load(e.Address)
	return answered || wraps[*broker.BrokerError](e)
}

// answered is the hook Versions.
func (a *app) answered(endpoint broker.Endpoint, versions *broker.Versions) {
	if versions.RequestVersion() >= 0 {
		a.kafka.Store(endpoint.Address, true)
	}
}

func identified(e *broker.Error, kind, cause error, hint string) error {
	better := *e
	better.Kind, better.Cause, better.Hint = kind, cause, hint
	return &better
}

// identifyPlaintext is for a port that closed the connection on a TLS ClientHello, or
// stayed silent, as brokers do on a port without TLS. It is asked in Kafka's protocol,
// without a client id, and in HTTP.
func (a *app) identifyPlaintext(ctx context.Context, err error) error {
	e, ok := errors.AsType[*broker.Error](err)
	deadline, limited := ctx.Deadline()
	if !ok || !limited || ctx.Err() != nil {
		return err
	}
	a.progress.waitFor("identifying " + e.Address)
	notTLS := func(detail, hint string) error {
		return identified(e, broker.ErrTLS, &brokertls.Error{Reason: brokertls.NotTLS, Detail: detail}, hint)
	}
	if a.askKafka(ctx, e.Address, time.Until(deadline)/2) {
		return notTLS("it answered Kafka's ApiVersions in plaintext", "this is a broker's port without TLS: "+
			"use security_protocol PLAINTEXT or SASL_PLAINTEXT, or the port with TLS")
	}
	line := a.askLine(ctx, e.Address, time.Until(deadline), lineQuestion)
	switch {
	case line != "" && !unprintable(line):
		return notTLS(fmt.Sprintf("it answered an HTTP request in plaintext with %q", line),
			"this is another protocol without TLS: check the port")
	case errors.Is(e.Kind, broker.ErrSetupTimeout):
		return identified(e, e.Kind, e.Cause, e.Hint+"; in plaintext it answers neither Kafka's ApiVersions nor HTTP")
	}
	return err // it may have closed all these connections
}

func unprintable(line string) bool {
	return strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) })
}

// askKafka reports whether the peer answers ApiVersions in plaintext, with a frame that
// has the correlation id of the request.
func (a *app) askKafka(ctx context.Context, address string, timeout time.Duration) (answers bool) {
	// Size, key, version, correlation id, and no client id.
	const id, request = "TLS?", "\x00\x00\x00\x0a" + "\x00\x12" + "\x00\x00" + "TLS?" + "\xff\xff"
	a.ask(ctx, address, timeout, request, func(_ context.Context, conn net.Conn) {
		answer := make([]byte, len("size")+len(id))
		_, err := io.ReadFull(conn, answer)
		answers = err == nil && string(answer[len("size"):]) == id
	})
	return answers
}

const (
	maxLine = 200 // bytes that are read of an answer
	// lineQuestion is a request of HTTP whose method is unknown, and begins with the one command
	// of ZooKeeper that is enabled by default: one connection asks both.
	lineQuestion = "srvr / HTTP/1.0\r\n\r\n"
)

// askLine returns the first line that the peer answers to a question; "": none.
func (a *app) askLine(ctx context.Context, address string, timeout time.Duration, request string) (line string) {
	a.ask(ctx, address, timeout, request, func(_ context.Context, conn net.Conn) {
		first, _ := bufio.NewReader(io.LimitReader(conn, maxLine)).ReadString('\n') // whole or not
		line = strings.TrimSpace(first)
	})
	return line
}

// askTLS reports whether the peer answers a TLS ClientHello with a TLS record. It checks
// nothing else: no certificate is trusted, and no data follow the handshake.
func (a *app) askTLS(ctx context.Context, address string, timeout time.Duration) (answers bool) {
	a.ask(ctx, address, timeout, "", func(ctx context.Context, conn net.Conn) {
		var got bytes.Buffer
		recorded := recordedConn{conn, io.TeeReader(conn, &got)}
		// The answer counts even if the handshake fails, for example without a client
		// certificate.
		_ = tls.Client(recorded, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx)
		// A record with an alert or a handshake message, of any version since SSL 3.
		first := got.Bytes()
		answers = len(first) >= 2 && (first[0] == 0x15 || first[0] == 0x16) && first[1] == 3
	})
	return answers
}

// ask writes a request to a connection that is closed when timeout or ctx ends, and runs f
// over it. It uses the proxy of the properties, since the address may be another host's
// without it.
func (a *app) ask(ctx context.Context, address string, timeout time.Duration, request string,
	f func(context.Context, net.Conn)) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := a.settings.Way().Dial(ctx, "tcp", address)
	if err != nil {
		return
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if _, err := io.WriteString(conn, request); err == nil {
		f(ctx, conn)
	}
}

// recordedConn reads from another reader.
type recordedConn struct {
	net.Conn
	reader io.Reader
}

func (c recordedConn) Read(p []byte) (int, error) { return c.reader.Read(p) }
