package domain_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"brokerconn/domain"
	"brokerconn/ports"
)

// Links and exchanges may say more than they must, or what is not so.

// talkative is a transport whose links say more than they must.
type talkative struct {
	*fakeTransport
	wrap func(*fakeLink) ports.Link
}

func (t *talkative) Open(e ports.Endpoint) ports.Link {
	t.fakeTransport.Open(e)
	return t.wrap(t.link)
}

func newTalkative(t *testing.T, wrap func(*fakeLink) ports.Link) *bench {
	b := newBench(t, func(b *bench) { b.cfg.Trace = true })
	p := domain.Ports{Transport: &talkative{b.tr, wrap}, Codec: &textCodec{}, Metrics: b.sink}
	b.Connection = domain.NewConnection(domain.Complete(b.cfg), p, false)
	return b.dialing()
}

// racingLink reports tries, each once.
type racingLink struct {
	*fakeLink
	tries []ports.Try
}

func (l *racingLink) Tries() []ports.Try {
	reported := l.tries
	l.tries = nil
	return reported
}

func TestStepReportsOneTry(t *testing.T) {
	var link *racingLink
	b := newTalkative(t, func(l *fakeLink) ports.Link { link = &racingLink{fakeLink: l}; return link })
	link.tries = []ports.Try{{Endpoint: ports.Endpoint{Address: "a"}, Done: true, Err: io.ErrUnexpectedEOF}}
	outs, _ := b.steps()
	if !slices.ContainsFunc(outs, func(o domain.Output) bool { return o.Kind == domain.Noted }) {
		t.Errorf("got %v in the step of the try, want a note of it", outs)
	}
}

// hintingLink knows what may have closed it, and what it waits for.
type hintingLink struct{ *fakeLink }

func (*hintingLink) Hint() string   { return "the proxy closes what it does not know" }
func (*hintingLink) Waiting() error { return errWaits }

var errWaits = errors.New("the proxy at 10.0.0.1:3128 has not answered")

func TestLinkSaysWhy(t *testing.T) {
	b := newTalkative(t, func(l *fakeLink) ports.Link { return &hintingLink{l} })
	if got := b.Waiting(); got != errWaits {
		t.Errorf("waiting: got %v, want %v", got, errWaits)
	}
	b.upTo(ports.StageEstablished)
	if got := b.Waiting(); got != nil {
		t.Errorf("waiting, once established: got %v, want nil", got)
	}
	b.tr.link.eof = io.EOF
	b.steps()
	var e *domain.Error
	if !errors.As(b.LastError(), &e) || !strings.Contains(e.Hint, "the proxy closes what it does not know") ||
		!errors.Is(e, io.EOF) {
		t.Errorf("got %v, hint %q; want EOF and the hint of the link", b.LastError(), e.Hint)
	}
}

// TestHintOfLinkAndOfItsLoss: what may have closed the link comes before what its loss says itself.
func TestHintOfLinkAndOfItsLoss(t *testing.T) {
	const ofLink = "the proxy closes what it does not know"
	for want, err := range map[string]error{ofLink: io.EOF, ofLink + "; try this": advised{}} {
		b := newTalkative(t, func(l *fakeLink) ports.Link { return &hintingLink{l} })
		b.tr.link.stageErr = err
		b.steps()
		var e *domain.Error
		if !errors.As(b.LastError(), &e) || e.Hint != want {
			t.Errorf("%v: got %v, hint %q; want hint %q", err, b.LastError(), e.Hint, want)
		}
	}
}

// lyingLink counts bytes that were not there.
type lyingLink struct {
	*fakeLink
	sends bool
	count func(n int) int
}

func (l *lyingLink) Send(p []byte) (int, error) {
	if l.sends {
		return l.count(len(p)), nil
	}
	return l.fakeLink.Send(p)
}

func (l *lyingLink) Recv(p []byte) (int, error) { return l.count(len(p)), nil }

func TestLinkCountsWhatIsNotThere(t *testing.T) {
	for name, count := range map[string]func(int) int{
		"too much": func(n int) int { return n + 1 },
		"negative": func(int) int { return -1 },
	} {
		for _, sends := range []bool{true, false} {
			b := newTalkative(t, func(l *fakeLink) ports.Link { return &lyingLink{l, sends, count} })
			b.upTo(ports.StageEstablished)
			if !errors.Is(b.LastError(), domain.ErrPortPanic) {
				t.Errorf("%s, sends %v: got %v, want %v", name, sends, b.LastError(), domain.ErrPortPanic)
			}
		}
	}
}

// hintingAuth knows what to check if the broker refuses its login.
type hintingAuth struct{ fakeAuth }

type hintingExchange struct{ *fakeExchange }

func (hintingExchange) Hint() string { return "check the principal" }

func (a *hintingAuth) Begin(e ports.Endpoint) ports.Exchange {
	a.fakeAuth.Begin(e)
	return hintingExchange{a.exchange}
}

func TestExchangeSaysWhatToCheck(t *testing.T) {
	b := newBench(t, func(b *bench) { b.auth = &fakeAuth{t: b.tr} })
	auth := &hintingAuth{fakeAuth{t: b.tr}}
	b.SetAuthenticators(b.now, []ports.Authenticator{auth})
	b.dialing().challenged()
	auth.exchange.token, auth.exchange.done, auth.exchange.err = []byte("x"), true, nil
	b.steps()
	b.say(frame(3, []byte("58|no|")))
	b.steps()
	var e *domain.Error
	if !errors.As(b.LastError(), &e) || !strings.Contains(e.Hint, "check the principal") {
		t.Errorf("got %v, want the hint of the exchange", b.LastError())
	}
}

// noLookup is a transport that starts no lookup.
type noLookup struct{ *fakeTransport }

func (noLookup) Resolve(string, uint16) ports.Lookup { return nil }

func TestPortsThatBreakTheirContract(t *testing.T) {
	b := newBench(t, nil)
	p := domain.Ports{Transport: noLookup{b.tr}, Codec: &textCodec{}, Metrics: b.sink}
	b.Connection = domain.NewConnection(domain.Complete(b.cfg), p, false)
	b.Connect(b.now, domain.ConnectOptions{})
	b.steps()
	if !errors.Is(b.LastError(), domain.ErrPortPanic) {
		t.Errorf("no lookup: got %v, want %v", b.LastError(), domain.ErrPortPanic)
	}
	b = newBench(t, nil).dialing().upTo(ports.StageEstablished + 1)
	if !errors.Is(b.LastError(), domain.ErrPortPanic) {
		t.Errorf("an invalid stage: got %v, want %v", b.LastError(), domain.ErrPortPanic)
	}
	defer func() {
		if recover() == nil {
			t.Error("no transport: got no panic, want one")
		}
	}()
	domain.NewConnection(domain.Complete(b.cfg), domain.Ports{Codec: &textCodec{}}, false)
}
