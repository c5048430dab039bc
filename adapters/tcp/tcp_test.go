package tcp

import (
	"context"
	"errors"
	"net"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"brokerconn/acceptance/proxies"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l := proxies.Must(net.Listen("tcp4", "127.0.0.1:0"))(t)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func dial(t *testing.T, o Options) (*net.TCPConn, error) {
	t.Helper()
	conn, err := Dial(o)(context.Background(), "tcp", listen(t).Addr().String())
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*net.TCPConn), nil
}

func TestSettingsInOrder(t *testing.T) {
	o := Options{SendBufferBytes: 1, ReceiveBufferBytes: 2, SocketOptions: []SocketOption{{7, 8, 9}, {4, 5, 6}}}
	var got []SocketOption
	var labels []string
	for _, s := range o.settings() {
		got, labels = append(got, s.SocketOption), append(labels, s.label)
	}
	want := []SocketOption{{syscall.SOL_SOCKET, syscall.SO_SNDBUF, 1}, {syscall.SOL_SOCKET, syscall.SO_RCVBUF, 2},
		{7, 8, 9}, {4, 5, 6}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("settings %v, want %v", got, want)
	}
	wantLabels := []string{"SO_SNDBUF", "SO_RCVBUF", "SocketOptions[0] (level 7, name 8)",
		"SocketOptions[1] (level 4, name 5)"}
	if !reflect.DeepEqual(labels, wantLabels) {
		t.Errorf("labels %v, want %v", labels, wantLabels)
	}
	for _, o := range []Options{{}, {SendBufferBytes: -1, ReceiveBufferBytes: -1}} {
		if s := o.settings(); len(s) != 0 {
			t.Errorf("%+v: settings %v, want none: the system chooses", o, s)
		}
	}
}

func TestRefusedOptionNamesItself(t *testing.T) {
	_, err := dial(t, Options{SocketOptions: []SocketOption{
		{syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1},
		{syscall.SOL_SOCKET, 9999, 1},
	}})
	var op *net.OpError
	var sys *os.SyscallError
	if err == nil || !strings.Contains(err.Error(), "SocketOptions[1] (level") || !errors.As(err, &op) ||
		!errors.As(err, &sys) {
		t.Errorf("dial: %v; want an error that names the option and wraps net.OpError and os.SyscallError", err)
	}
}

func TestRefusedAddress(t *testing.T) {
	l := listen(t)
	_ = l.Close()
	_, err := Dial(Options{})(context.Background(), "tcp", l.Addr().String())
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "dial" || !strings.HasPrefix(err.Error(), "tcp: dial tcp 127.0.0.1:") {
		t.Errorf("dial: %v; want a net.OpError of the dial", err)
	}
}

func TestDialIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Dial(Options{})(ctx, "tcp", listen(t).Addr().String()); err == nil {
		t.Error("dial with a context that is over succeeded")
	}
}

func TestDialKeepsTheFamily(t *testing.T) {
	if _, err := dial(t, Options{AddressFamily: IPv4}); err != nil {
		t.Errorf("IPv4: %v", err)
	}
	if _, err := dial(t, Options{AddressFamily: IPv6}); err == nil {
		t.Error("an IPv4 address was dialed although the family is IPv6")
	}
}

func TestLocalAddr(t *testing.T) {
	conn := proxies.Must(dial(t, Options{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}}))(t)
	if ip := conn.LocalAddr().(*net.TCPAddr).IP.String(); ip != "127.0.0.1" {
		t.Errorf("the connection comes from %s", ip)
	}
}

func TestUnknownFamilyPanics(t *testing.T) {
	defer func() {
		if r := recover(); r != "tcp: unknown address family 9" {
			t.Errorf("recovered %v", r)
		}
	}()
	New(Options{AddressFamily: 9})
}
