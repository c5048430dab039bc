package domain

import "testing"

// TestTextWithoutAddress: an error of package net begins with the operation, the network and the address, see
// net.OpError.
func TestTextWithoutAddress(t *testing.T) {
	for _, c := range []struct{ text, address, want string }{
		{"dial tcp 10.0.0.7:9092: connect: connection refused", "10.0.0.7:9092", "connect: connection refused"},
		{"lost: read tcp 10.0.0.7:9092: EOF", "10.0.0.7:9092", "lost: EOF"},
		{"dial unix /run/kafka: connect: no such file", "/run/kafka", "connect: no such file"},
		{"tcp 10.0.0.7:9092: EOF", "10.0.0.7:9092", "tcp it: EOF"}, // no operation
		{"from 10.0.0.7:9092: EOF", "10.0.0.7:9092", "from it: EOF"},
		{"10.0.0.7:9092: EOF", "10.0.0.7:9092", "it: EOF"},
		{"peer a: EOF", "a", "peer a: EOF"}, // the name of a link in memory may be any word
	} {
		if got := withoutAddress(c.text, c.address); got != c.want {
			t.Errorf("%q without %q: got %q, want %q", c.text, c.address, got, c.want)
		}
	}
}

// TestLargeRequestIsNotSafe: a request of 512 KiB within which the peer closed the connection may be one that it never
// accepts; a smaller one was cut off by a loss like any other.
func TestLargeRequestIsNotSafe(t *testing.T) {
	for _, c := range []struct {
		bytes  int
		byPeer bool
		sent   Sent
		want   bool
	}{
		{512<<10 - 1, true, SentPartly, true},
		{512 << 10, true, SentPartly, false},
		{512 << 10, true, SentNothing, true},
		{512 << 10, false, SentPartly, true},
		{1 << 20, true, SentPartly, false},
	} {
		e := &Error{Kind: ErrConnection, RequestBytes: c.bytes, byPeer: c.byPeer, Sent: c.sent}
		if got := SafeToRetry(e); got != c.want {
			t.Errorf("%d bytes, by the peer %v, %v: got safe to retry %v, want %v", c.bytes, c.byPeer, c.sent,
				got, c.want)
		}
	}
}
