package netlink_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"brokerconn/adapters/netlink"
	"brokerconn/ports"
)

var one = []ports.Endpoint{{Network: "test", Address: "one"}}

// shaken is a net.Conn whose handshake succeeds.
type shaken struct{ net.Conn }

func (shaken) HandshakeContext(ctx context.Context) error { return ctx.Err() }

func pipes(t *testing.T, secure bool) netlink.DialFunc {
	return func(context.Context, string, string) (net.Conn, error) {
		client, peer := net.Pipe()
		t.Cleanup(func() { _ = peer.Close() })
		if secure {
			return shaken{client}, nil
		}
		return client, nil
	}
}

// TestPreparedLinkIsDriven: one stage with each Drive, and nothing before.
func TestPreparedLinkIsDriven(t *testing.T) {
	for _, secure := range []bool{false, true} {
		l := (&netlink.Transport{Dial: pipes(t, secure), Prompt: true}).Prepare(one, 0)
		want := []ports.Stage{ports.StageEstablished}
		if secure {
			want = []ports.Stage{ports.StageSecuring, ports.StageEstablished}
		}
		if stage, err := l.Stage(); stage != ports.StageDialing || !ports.WouldBlock(err) || len(l.Tries()) != 1 {
			t.Errorf("before Drive: got stage %v, %v, want it to dial", stage, err)
		}
		for i, stage := range want {
			more := l.Drive()
			if got, _ := l.Stage(); got != stage || more != (i+1 < len(want)) {
				t.Errorf("secure %v, Drive %d: got %v, more %v, want %v", secure, i, got, more, stage)
			}
		}
		if tries := l.Tries(); len(tries) != 1 || !tries[0].Done || tries[0].Err != nil {
			t.Errorf("got tries %v, want one that is done", tries)
		}
		if l.Drive() {
			t.Error("Drive of an established link: got more, want none")
		}
		_ = l.Close()
	}
}

// TestWatchBeginsPreparedLink: from each stage on.
func TestWatchBeginsPreparedLink(t *testing.T) {
	for drives := range 2 {
		l := (&netlink.Transport{Dial: pipes(t, true), Prompt: true}).Prepare(one, 0)
		l.Tries()
		for range drives {
			l.Drive()
		}
		for {
			if _, err := l.Stage(); err == nil {
				break
			}
			news := make(chan struct{})
			l.Watch(func() { close(news) })
			<-news
		}
		if l.Drive() {
			t.Errorf("%d drives: got more after Watch, want none", drives)
		}
		_ = l.Close()
	}
}

// TestPreparedLinkIsClosed: before Drive, in it, and between the stages.
func TestPreparedLinkIsClosed(t *testing.T) {
	begun := make(chan struct{}, 1)
	blocks := func(ctx context.Context, _, _ string) (net.Conn, error) {
		begun <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	unused := (&netlink.Transport{Dial: pipes(t, false), Prompt: true}).Prepare(one, 0)
	_ = unused.Close()
	inDial := (&netlink.Transport{Dial: blocks, Prompt: true}).Prepare(one, 0)
	go func() { <-begun; _ = inDial.Close() }()
	between := (&netlink.Transport{Dial: pipes(t, true), Prompt: true}).Prepare(one, 0)
	if !between.Drive() {
		t.Error("Drive of a dial with a handshake: got no more, want more")
	}
	_ = between.Close()
	for name, l := range map[string]ports.DrivenLink{"before": unused, "in": inDial, "between": between} {
		for range 2 {
			l.Drive()
		}
		if _, err := l.Stage(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed %s: got %v, want %v", name, err, net.ErrClosed)
		}
	}
}

// TestTransportThatDoesNotPrepare: the owner calls Race then.
func TestTransportThatDoesNotPrepare(t *testing.T) {
	two := append(one[:1:1], ports.Endpoint{Network: "test", Address: "two"})
	for name, l := range map[string]ports.DrivenLink{
		"not Prompt":    (&netlink.Transport{Dial: pipes(t, false)}).Prepare(one, 0),
		"two addresses": (&netlink.Transport{Dial: pipes(t, false), Prompt: true}).Prepare(two, time.Second),
	} {
		if l != nil {
			t.Errorf("%s: got a link, want none", name)
		}
	}
}
