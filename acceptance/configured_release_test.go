//go:build acceptance

package acceptance

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/netlink"
	"brokerconn/adapters/tcp"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// TestConfiguredRelease: with a configured release ApiVersions is not sent, and requests
// have the versions of that release.
func TestConfiguredRelease(t *testing.T) {
	t.Parallel()
	b := sharedBroker(t)
	for _, c := range []struct {
		release  broker.Release
		produce  int16 // the version in that release
		metadata int16
		warns    bool
	}{
		{broker.Release{Major: 2, Minor: 8}, 9, 11, false},
		{broker.Release{Major: 3, Minor: 9}, 11, 12, false},
		{broker.Release{Major: 4, Minor: 4}, 13, 13, false},
		{broker.Release{Major: 9, Minor: 9}, 13, 13, true},
	} {
		t.Run(c.release.String(), func(t *testing.T) {
			wire := new(eavesdropper)
			var warnings []string
			cfg := configOf(t, b)
			cfg.APIVersion = c.release
			cfg.Transport = tapped(tcp.Options{}, wire.write)
			cfg.Hooks = &broker.Hooks{Warning: func(text string) { warnings = append(warnings, text) }}
			conn := connect(t, cfg)
			name := fmt.Sprint("as-", c.release)
			id := topicNamed(t, conn, name)
			offset, err := produced(produceRequest(name, id, -1, []byte("a record")).RequestWith(t.Context(), conn))
			if err != nil || offset != 0 {
				t.Errorf("produce: got offset %d, %v; want 0", offset, err)
			}
			if _, err := fetched(fetchRequest(name, id, 0).RequestWith(t.Context(), conn)); err != nil {
				t.Error(err)
			}
			if len(warnings) > 0 != c.warns {
				t.Errorf("got warnings %q, want some: %t", warnings, c.warns)
			}
			v, err := conn.APIVersions(t.Context())
			if err != nil || v.RequestVersion() != -1 {
				t.Errorf("version of ApiVersions: got %d, %v; want -1, since it is not sent", v.RequestVersion(), err)
			}

			said := wire.requests(t)
			keyOf := func(req kmsg.Request) int16 { return req.Key() }
			if len(said) == 0 || said[0].key != keyOf(kmsg.NewPtrCreateTopicsRequest()) {
				t.Errorf("got requests %v, want CreateTopics first", said)
			}
			for _, r := range said {
				if r.key == ports.KeyAPIVersions {
					t.Error("got ApiVersions on the wire, want none")
				}
			}
			for _, want := range []spoken{
				{keyOf(kmsg.NewPtrProduceRequest()), c.produce},
				{keyOf(kmsg.NewPtrMetadataRequest()), c.metadata},
			} {
				if !slices.Contains(said, want) {
					t.Errorf("got requests %v, want API %d at v%d among them", said, want.key, want.version)
				}
			}
		})
	}
}

// An eavesdropper records the bytes that its connections send.
type eavesdropper struct {
	mu   sync.Mutex
	sent []byte
}

func (e *eavesdropper) write(conn net.Conn, p []byte) (int, error) {
	n, err := conn.Write(p)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sent = append(e.sent, p[:n]...)
	return n, err
}

// tapped is a transport whose connections write by write.
func tapped(o tcp.Options, write func(conn net.Conn, p []byte) (int, error)) *netlink.Transport {
	return &netlink.Transport{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := tcp.Dial(o)(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return tappedConn{conn, write}, nil
	}}
}

type tappedConn struct {
	net.Conn
	write func(net.Conn, []byte) (int, error)
}

func (c tappedConn) Write(p []byte) (int, error) { return c.write(c.Conn, p) }

// spoken is the beginning of a request: its API and version.
type spoken struct{ key, version int16 }

// requests reads what was sent over one connection.
func (e *eavesdropper) requests(t *testing.T) (all []spoken) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	for rest := e.sent; len(rest) > 0; {
		if len(rest) < 8 || len(rest) < 4+int(binary.BigEndian.Uint32(rest)) {
			t.Fatalf("got %d bytes at the end of the stream, want a whole request", len(rest))
		}
		all = append(all, spoken{int16(binary.BigEndian.Uint16(rest[4:])), int16(binary.BigEndian.Uint16(rest[6:]))})
		rest = rest[4+int(binary.BigEndian.Uint32(rest)):]
	}
	return all
}
