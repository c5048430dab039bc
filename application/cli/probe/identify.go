package probe

import (
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
)

// What a port is that does not answer Kafka. Most other servers answer something
// that the connection recognises by itself; two kinds do not. A web server waits
// for a line to end, and whether ApiVersions has a byte that is a newline is
// chance: with a client id of 10 bytes it has. And a TLS server may hang up, or
// wait for the rest of what it takes for a record. So a port that stayed silent,
// or hung up when asked for its API versions, is asked once in HTTP and once in
// TLS, each over a connection of its own.
//
// A web server with TLS may answer plain HTTP in plain HTTP, "400 Bad Request",
// to say that it wants TLS. So that answer alone does not tell.

// identify returns err, or a better error where the port turns out to be another
// kind of server's. It takes what is left of ctx, at most.
func (a *app) identify(ctx context.Context, err error) error {
	var e *broker.Error
	if !errors.As(err, &e) || e.Phase != broker.NegotiatingVersions || e.Address == "" {
		return err
	}
	if a.settings.Security.TLS() {
		return err // what speaks TLS is no web server in clear, and the handshake told
	}
	if !errors.Is(e.Kind, broker.ErrSetupTimeout) && e.Kind != broker.ErrConnection {
		return err // the kind tells already
	}
	deadline, bounded := ctx.Deadline()
	if !bounded || ctx.Err() != nil {
		return err
	}
	a.progress.waitFor("finding out what answers at " + e.Address)

	line := a.askHTTP(ctx, e.Address, time.Until(deadline)/2)
	web := strings.HasPrefix(line, "HTTP/")
	mayBeTLS := line == "" || unprintable(line) || // an alert?
		web && strings.Contains(line, " 400 ")
	found := *e
	switch {
	case mayBeTLS && a.askTLS(ctx, e.Address, time.Until(deadline)):
		found.Kind = broker.ErrTLSExpected
		found.Cause = errors.New("it answered a TLS hello, and nothing to Kafka's ApiVersions")
		found.Hint = "the port wants TLS"
	case web:
		found.Kind = broker.ErrNotKafka
		found.Cause = fmt.Errorf("it answered an HTTP request with %q", line)
		found.Hint = "this is a web server (HTTP): check the port"
	case line != "":
		found.Kind = broker.ErrNotKafka
		found.Cause = fmt.Errorf("it answered a line of text with %q", line)
		found.Hint = "this is another protocol: check the port"
	case a.askZooKeeper(ctx, e.Address, time.Until(deadline)):
		found.Kind = broker.ErrNotKafka
		found.Cause = errors.New("it answered ZooKeeper's srvr")
		found.Hint = "this is ZooKeeper: dial a broker"
	case found.Kind == broker.ErrConnection:
		return err // hung up on all of them, for all we know
	default:
		found.Hint = "the port accepts connections but answers neither Kafka's ApiVersions nor HTTP nor a TLS hello"
	}
	return &found
}

// identifyInClear is for a port that hung up on a hello of TLS, or stayed silent, as
// brokers do on a port without TLS. It is asked once as Kafka is, without a client
// id, and once in HTTP.
func (a *app) identifyInClear(ctx context.Context, err error) error {
	var e *broker.Error
	deadline, bounded := ctx.Deadline()
	if !errors.As(err, &e) || !bounded || ctx.Err() != nil {
		return err
	}
	a.progress.waitFor("finding out what answers at " + e.Address)
	found, cause := *e, &brokertls.Error{Reason: brokertls.NotTLS}
	if a.askKafka(ctx, e.Address, time.Until(deadline)/2) {
		cause.Detail = "it answered Kafka's ApiVersions in clear"
		found.Hint = "this is a broker's port without TLS: use PLAINTEXT or SASL_PLAINTEXT, or the port with TLS"
	} else {
		line := a.askHTTP(ctx, e.Address, time.Until(deadline))
		switch {
		case line != "" && !unprintable(line):
			cause.Detail = fmt.Sprintf("it answered an HTTP request in clear with %q", line)
			found.Hint = "this is another protocol without TLS: check the port"
		case errors.Is(found.Kind, broker.ErrSetupTimeout):
			found.Hint = "the port accepts connections but answers neither a TLS hello nor, in clear, Kafka's ApiVersions or HTTP"
			return &found
		default:
			return err // hung up on all of them, for all we know
		}
	}
	found.Kind, found.Cause = broker.ErrTLS, cause
	return &found
}

func unprintable(line string) bool {
	return strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) })
}

// askKafka reports whether the peer answers ApiVersions in clear: with a frame that
// has the number of the question.
func (a *app) askKafka(ctx context.Context, address string, limit time.Duration) (speaks bool) {
	// Size, key, version, number, and no client id.
	const number, question = "TLS?", "\x00\x00\x00\x0a" + "\x00\x12" + "\x00\x00" + "TLS?" + "\xff\xff"
	a.talk(ctx, address, limit, func(_ context.Context, conn net.Conn) {
		if _, err := io.WriteString(conn, question); err != nil {
			return
		}
		answer := make([]byte, len("size")+len(number))
		_, err := io.ReadFull(conn, answer)
		speaks = err == nil && string(answer[len("size"):]) == number
	})
	return speaks
}

// askHTTP returns the first line of what the peer answers, "" for nothing.
func (a *app) askHTTP(ctx context.Context, address string, limit time.Duration) (line string) {
	return a.askLine(ctx, address, limit, "HEAD / HTTP/1.0\r\n\r\n")
}

// askZooKeeper reports whether the peer answers the one of ZooKeeper's words that it
// answers by default.
func (a *app) askZooKeeper(ctx context.Context, address string, limit time.Duration) bool {
	return strings.HasPrefix(a.askLine(ctx, address, limit, "srvr"), "Zookeeper version")
}

func (a *app) askLine(ctx context.Context, address string, limit time.Duration, question string) (line string) {
	a.talk(ctx, address, limit, func(_ context.Context, conn net.Conn) {
		if _, err := io.WriteString(conn, question); err != nil {
			return
		}
		var got []byte
		buf := make([]byte, 200)
		for len(got) < cap(buf) && !bytes.ContainsRune(got, '\n') {
			n, err := conn.Read(buf)
			if got = append(got, buf[:n]...); err != nil {
				break
			}
		}
		first, _, _ := bytes.Cut(got, []byte("\n"))
		line = string(bytes.TrimSpace(first))
	})
	return line
}

// askTLS reports whether the peer answers a TLS hello with a record of TLS. That
// is all it looks at: no certificate is trusted and nothing is sent behind the
// handshake.
func (a *app) askTLS(ctx context.Context, address string, limit time.Duration) (speaks bool) {
	a.talk(ctx, address, limit, func(ctx context.Context, conn net.Conn) {
		seen := &firstBytes{Conn: conn}
		// A handshake that fails, for want of a client certificate say, tells as
		// much as one that succeeds.
		_ = tls.Client(seen, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx)
		speaks = seen.areTLS()
	})
	return speaks
}

// talk runs f over a connection that is closed when limit or ctx ends. It goes the
// way that the properties say: what lies behind a proxy may be another host by the
// same address.
func (a *app) talk(ctx context.Context, address string, limit time.Duration, f func(context.Context, net.Conn)) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := a.settings.Way().Dial(ctx, "tcp", address)
	if err != nil {
		return
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	f(ctx, conn)
}

// firstBytes remembers how the peer's words began.
type firstBytes struct {
	net.Conn
	first []byte
}

func (c *firstBytes) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if missing := 2 - len(c.first); missing > 0 {
		c.first = append(c.first, p[:min(n, missing)]...)
	}
	return n, err
}

// areTLS: a record that holds an alert or a part of a handshake, of any version
// since SSL 3.
func (c *firstBytes) areTLS() bool {
	return len(c.first) == 2 && (c.first[0] == 0x15 || c.first[0] == 0x16) && c.first[1] == 3
}
