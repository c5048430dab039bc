package socks5_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"slices"
	"testing"

	"brokerconn/acceptance/proxies"
	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/adapters/socks5"
)

// FuzzProxy: whatever a proxy says, there is a tunnel if and only if it begins
// with one of the sequences of the RFCs, which are put together here once more;
// what follows them is left unread.
func FuzzProxy(f *testing.F) {
	for _, said := range []string{
		"", "\x05", "\x05\xff", "\x05\x00" + granted + "tunnel", "\x05\x02\x01\x00" + granted, "\x05\x02\x01\x01",
		"\x05\x00\x05\x05\x00\x01",
		"\x05\x00\x05\x00\x00\x03\x02ab\x00\x07", "\x05\x00\x05\x00\x00\x04" + granted + granted, "SSH-2.0",
		"HTTP/1.1 400", "\x05\x02" + granted,
	} {
		f.Add([]byte(said), true, 3)
		f.Add([]byte(said), false, 100)
	}
	f.Fuzz(func(t *testing.T, said []byte, withLogin bool, pieces int) {
		conn := &proxies.Said{Rest: slices.Clone(said), Pieces: 1 + max(0, pieces%300)}
		o := socks5.Options{Proxy: "proxy:1080"}
		if withLogin {
			o.Login = tunnel.NewLogin("alice", "opensesame")
		}
		got, err := socks5.Dial(conn.Dial, o)(context.Background(), "tcp", "broker:9092")
		size := grant(said, withLogin)
		if (err == nil) != (size > 0) {
			t.Fatalf("%x: error %v, and %d bytes of it grant a tunnel", said, err, size)
		}
		if err == nil {
			if got != net.Conn(conn) || !bytes.Equal(conn.Rest, said[size:]) {
				t.Fatalf("%x: left for the tunnel: %x", said, conn.Rest)
			}
			return
		}
		var e *tunnel.Error
		kinds := []error{tunnel.ErrLogin, tunnel.ErrRefused, tunnel.ErrGarbage, tunnel.ErrCutOff}
		if !errors.As(err, &e) || !slices.Contains(kinds, e.Kind) || e.Error() == "" {
			t.Fatalf("%x: %v", said, err)
		}
		if e.Kind == tunnel.ErrCutOff && len(conn.Rest) > 0 {
			t.Fatalf("%x: %v, and %x was not read", said, err, conn.Rest)
		}
	})
}

// grant returns the size of what grants a tunnel at the beginning of said; 0: it
// does not.
func grant(said []byte, withLogin bool) int {
	heads := []string{"\x05\x00"}
	if withLogin {
		heads = append(heads, "\x05\x02\x01\x00")
	}
	for _, head := range heads {
		for _, address := range []struct {
			begins string
			size   int
		}{{"\x05\x00\x00\x01", 4}, {"\x05\x00\x00\x04", 16}, {"\x05\x00\x00\x03", -1}} {
			rest, ok := bytes.CutPrefix(said, []byte(head+address.begins))
			if !ok {
				continue
			}
			size := address.size
			if size < 0 && len(rest) > 0 {
				size = 1 + int(rest[0])
			}
			if size >= 0 && len(rest) >= size+2 {
				return len(said) - len(rest) + size + 2
			}
		}
	}
	return 0
}
