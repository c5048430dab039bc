package netlink_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"brokerconn/acceptance/proxies"
	"brokerconn/adapters/netlink"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

func TestContract(t *testing.T) {
	contract(t, func(conn net.Conn) net.Conn { return conn })
}

// TestContractWithoutDeadlines: some streams have no deadlines, such as the channels of golang.org/x/crypto/ssh.
func TestContractWithoutDeadlines(t *testing.T) {
	contract(t, func(conn net.Conn) net.Conn { return timeless{conn} })
}

// contract checks links over TCP as a dial function may wrap it.
func contract(t *testing.T, wrap func(net.Conn) net.Conn) {
	porttest.Transport(t, func(t *testing.T) porttest.Harness {
		l := proxies.Must(net.Listen("tcp", "127.0.0.1:0"))(t)
		t.Cleanup(func() { _ = l.Close() })
		endpoint := func(address string) ports.Endpoint {
			return ports.Endpoint{Host: "127.0.0.1", Network: "tcp", Address: address}
		}
		dial := func(ctx context.Context, network, address string) (net.Conn, error) {
			switch address {
			case "refused":
				return nil, errors.New("connection refused")
			case "silent":
				return nil, ends(ctx)
			}
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return wrap(conn), nil
		}
		lookup := func(ctx context.Context, host string, _ uint16) ([]ports.Endpoint, error) {
			switch host {
			case "unknown":
				return nil, errors.New("no such host")
			case "silent":
				return nil, ends(ctx)
			}
			return []ports.Endpoint{endpoint(l.Addr().String())}, nil
		}
		return porttest.Harness{
			Transport: &netlink.Transport{Dial: dial, Lookup: lookup}, Host: "127.0.0.1", Port: 9092,
			Endpoint:    endpoint(l.Addr().String()),
			Accept:      func() io.ReadWriteCloser { return proxies.Must(l.Accept())(t) },
			UnknownHost: "unknown", SilentHost: "silent", Refused: endpoint("refused"), Silent: endpoint("silent"),
		}
	})
}

func ends(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

// timeless is a net.Conn without deadlines.
type timeless struct{ net.Conn }

func (timeless) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (timeless) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (timeless) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }
