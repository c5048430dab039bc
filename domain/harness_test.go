package domain_test

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// harness is a Machine, the world around it, and a simple model of both, which
// checks every output and, after every input, what must always hold:
//
//   - each admitted request is done exactly once, and the answers and the losses
//     of a connection are reported in the order sent;
//   - how much of a lost request was sent is what the counted bytes say;
//   - an answer goes to the request that it is for;
//   - only the moves of the table are made, and each is reported once;
//   - there is at most one lookup or link, and no new one while a writer's loan
//     is out;
//   - the pause after the n-th failure keeps its bounds, and only a connection
//     that was ready ends the row;
//   - a request is late when its timeout has passed, the time for which the broker
//     throttles not counted: then it and no other times out, and not before;
//   - NextDeadline is never after anybody's timeout, nor, once HandleTimeout was
//     called, in the past; the end of a throttle never moves back;
//   - within a login nothing of the owner's is sent, and nothing before the first;
//   - news of an old epoch change nothing, and the sums of the metrics hold.
type harness struct {
	t interface {
		Helper()
		Fatalf(string, ...any)
	}
	m    *domain.Machine
	sink *tally
	now  time.Time
	sasl bool
	max  int

	state    domain.State // as reported by Changed
	idle     bool         // Next said Idle, and nothing was put in since
	failures int
	ready    bool // Connected was reached since failures was looked at

	// The world. Zero epochs: there is no such thing.
	lookup, link uint64
	resolved     uint64 // the lookup whose result is known
	stage        ports.Stage
	asked        bool // the authenticator was
	lent         []byte
	lentBy       uint64
	stream       []byte // what Transmit gave on the newest link
	count        int    // of stream, how much is on its way
	arrived      int    // of stream, how much the broker has taken up
	answers      [][]byte
	soiled       bool // there was garbage between the answers

	replacing bool  // the credentials, which ends the row of failed logins
	deaf      bool  // the broker is of 0.9: it leaves ApiVersions without an answer
	lifetime  int64 // ms: of the sessions that begin from now on
	login     bool  // the broker has taken up a handshake, and not answered the last token
	loggedIn  bool  // on this link

	throttledUntil time.Time
	throttle       int // ms: what answers say, from now on

	seen     map[string]int // what was reached, so that a test can see what was not
	requests []*admitted    // those that are not done yet, in the order sent
}

type admitted struct {
	f         *domain.Future
	id        int32
	epoch     uint64
	silent    bool
	abandoned bool
	due       time.Time
	late      bool // it was when the connection went down
}

func newHarness(t interface {
	Helper()
	Fatalf(string, ...any)
}, sasl bool, inFlight int, random func() uint64, change ...func(*domain.Config)) *harness {
	r := &harness{t: t, sink: &tally{}, sasl: sasl, max: inFlight, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	cfg := domain.Config{Host: "broker", Codec: &textCodec{}, Metrics: r.sink, ProbeOldReleases: true,
		MaxInFlight: r.max, MaxPendingBytes: 500, Rand: random}
	if sasl {
		cfg.Mechanisms = []domain.Mechanism{{Name: "PLAIN"}}
	}
	for _, c := range change {
		c(&cfg)
	}
	r.m = domain.NewMachine(domain.Complete(cfg))
	return r
}

// do is one input, and what must hold after it.
func (r *harness) do(input func()) {
	r.t.Helper()
	r.idle = false
	was, readied := r.m.State(), r.sink.ready
	input()
	r.clocks(was)
	if r.m.State() == domain.Connected || r.sink.ready > readied { // it may be over again
		r.ready = true
	}
	switch n := r.m.Failures(); {
	case n == r.failures && r.m.LastError() == nil: // a clean close is no failure
	case n == r.failures && r.m.Continuing() && errors.Is(r.m.LastError(), domain.ErrReauthentication): // no pause
	case n == r.failures+1 || n == 1 && r.ready:
		low, high := pause(n)
		if r.m.Continuing() {
			low = pauseFloor // between probes, in a row of their own
		}
		if d := r.m.NextDeadline().Sub(r.now); r.m.State() == domain.Disconnected && (d < low || d > high) {
			r.t.Fatalf("failure %d: a pause of %v, not within %v and %v", n, d, low, high)
		}
	case n == r.failures:
	case n == 0 && (r.ready || r.replacing):
	default:
		r.t.Fatalf("failures went from %d to %d", r.failures, n)
	}
	r.failures = r.m.Failures()
	if r.m.State() != domain.Connected {
		r.ready = false
	}
	if n := r.m.ResponsesDue(); n > max(r.max, 1) {
		r.t.Fatalf("%d in flight", n)
	}
	live := 0
	if !r.m.State().Down() {
		live = 1
	}
	if r.sink.started != r.sink.closed+live {
		r.t.Fatalf("%d started, %d closed, %d live", r.sink.started, r.sink.closed, live)
	}
}

// clocks checks the times of the requests.
func (r *harness) clocks(was domain.State) {
	r.t.Helper()
	until := r.now.Add(r.m.ThrottleDelay(r.now))
	if r.throttledUntil.After(r.now) && until.Before(r.throttledUntil) {
		r.t.Fatalf("the throttle's end went from %v to %v", r.throttledUntil, until)
	}
	from := r.now
	if r.throttledUntil.After(from) {
		from = r.throttledUntil
	}
	if until.After(from) {
		r.see("throttled")
		for _, a := range r.requests {
			a.due = a.due.Add(until.Sub(from))
		}
		r.throttledUntil = until
	}
	switch {
	case r.m.State() == domain.Connected:
		for _, a := range r.requests {
			if d := r.m.NextDeadline(); a.f.Completed.IsZero() && (d.IsZero() || d.After(a.due)) {
				r.t.Fatalf("#%d is due at %v, and the next deadline is %v", a.id, a.due, d)
			}
		}
	case was == domain.Connected:
		for _, a := range r.requests {
			a.late = !a.due.After(r.now)
		}
	}
}

const pauseFloor = 40 * time.Millisecond

func pause(n int) (low, high time.Duration) {
	d := min(50*time.Millisecond<<min(n-1, 10), time.Second)
	return d * 8 / 10, d * 12 / 10
}

// next takes one output and carries it out; false: it was Idle.
func (r *harness) next() bool {
	r.t.Helper()
	var out domain.Output
	was := r.idle
	r.do(func() { out = r.m.Next() })
	if was && out.Kind != domain.Idle {
		r.t.Fatalf("%v came after Idle, with nothing put in", out.Kind)
	}
	switch out.Kind {
	case domain.Idle:
		r.idle = true
		r.balance()
		return false
	case domain.Changed:
		if out.From != r.state || !out.From.MayBecome(out.To) {
			r.t.Fatalf("state %v; no move %v -> %v", r.state, out.From, out.To)
		}
		r.state = out.To
	case domain.Resolve:
		r.fresh("Resolve")
		r.lookup = out.Epoch
	case domain.Open:
		r.fresh("Open")
		r.link, r.stage, r.stream, r.count, r.arrived = out.Epoch, ports.StageDialing, nil, 0, 0
		r.answers, r.soiled, r.login, r.loggedIn = nil, false, false, false
	case domain.Transmit:
		if r.lent != nil || r.link != out.Epoch || r.stage != ports.StageEstablished {
			r.t.Fatalf("Transmit for epoch %d; the link is %d at %v, lent %v", out.Epoch, r.link,
				r.stage, r.lent != nil)
		}
		r.stream = append(r.stream[:r.count], out.Data...)
		r.lent, r.lentBy = out.Data, out.Epoch
	case domain.Challenge:
		r.asked = true
	case domain.Hangup:
		if r.lookup == 0 && r.link == 0 {
			r.t.Fatalf("Hangup of nothing")
		}
		r.lookup, r.link, r.asked = 0, 0, false
	case domain.Completed:
		r.completed(out.Future)
	}
	return true
}

func (r *harness) fresh(what string) {
	if r.lookup != 0 || r.link != 0 || r.lent != nil {
		r.t.Fatalf("%s with lookup %d, link %d, lent %v", what, r.lookup, r.link, r.lent != nil)
	}
}

func (r *harness) drain() {
	r.t.Helper()
	for range 10_000 {
		if !r.next() {
			return
		}
	}
	r.t.Fatalf("Next never says Idle")
}

// balance holds whenever Next said Idle and no loan hides the truth.
func (r *harness) balance() {
	if r.state != r.m.State() && r.lent == nil {
		r.t.Fatalf("got state %v, want %v as reported", r.m.State(), r.state)
	}
	if r.lent != nil {
		return
	}
	waiting := 0
	if r.m.State() == domain.Connected {
		waiting = r.m.InFlight()
	}
	if s := r.sink; s.sent != s.answered+s.failed+waiting {
		r.t.Fatalf("%d sent, %d answered, %d failed, %d waiting", s.sent, s.answered, s.failed, waiting)
	}
	for _, a := range r.requests {
		if !a.abandoned && a.f.Done() {
			r.t.Fatalf("#%d is done without a Completed output", a.id)
		}
		if !a.abandoned && r.m.State() != domain.Connected {
			r.t.Fatalf("#%d is not done, and there is no connection", a.id)
		}
	}
}

func (r *harness) completed(f *domain.Future) {
	r.t.Helper()
	at := -1
	for i, a := range r.requests {
		if !a.abandoned && a.f == f && a.id == f.CorrelationID {
			at = i
			break
		}
	}
	if at < 0 || !f.Done() {
		r.t.Fatalf("#%d came out of Next and is not awaited, or not done", f.CorrelationID)
	}
	a := r.requests[at]
	for _, before := range r.requests[:at] {
		if before.abandoned || f.Err() == nil && before.silent != a.silent {
			continue // silent ones overtake, and are overtaken
		}
		r.t.Fatalf("#%d completed before #%d", a.id, before.id)
	}
	if f.Completed.Before(f.Queued) {
		r.t.Fatalf("#%d was done before it was admitted", a.id)
	}
	if err := f.Err(); err != nil {
		r.see("failed " + f.Sent().String())
		if want := r.sentOf(a); f.Sent() != want {
			r.t.Fatalf("#%d says %v, %d of %d bytes counted say %v", a.id, f.Sent(), r.count, len(r.stream), want)
		}
		var e *domain.Error
		if !errors.As(err, &e) || e.Sent != f.Sent() {
			r.t.Fatalf("#%d: %v", a.id, err)
		}
		if errors.Is(err, domain.ErrRequestTimeout) {
			r.see("late")
		}
		if errors.Is(err, domain.ErrRequestTimeout) && !a.late {
			r.t.Fatalf("#%d was due at %v and failed at %v: %v", a.id, a.due, r.now, err)
		}
		if strings.Contains(err.Error(), "another request") && a.late {
			r.t.Fatalf("#%d was due at %v and failed because of another: %v", a.id, a.due, err)
		}
	} else {
		r.see("answered")
		want := fmt.Sprintf("answer %d", a.id)
		if a.silent != (f.Body() == nil) || !a.silent && !r.soiled && !strings.HasSuffix(string(f.Body()), want) {
			r.t.Fatalf("#%d has body %q", a.id, f.Body())
		}
	}
	r.requests = append(r.requests[:at], r.requests[at+1:]...)
	r.do(func() { r.m.Recycle(f) })
}

func (r *harness) see(what string) {
	if r.seen != nil {
		r.seen[what]++
	}
}

// sentOf finds the request's frame in the stream.
func (r *harness) sentOf(a *admitted) domain.Sent {
	for at := 0; at < len(r.stream); {
		end := at + 4 + int(binary.BigEndian.Uint32(r.stream[at:]))
		if int32(binary.BigEndian.Uint32(r.stream[at+8:])) == a.id {
			switch {
			case r.count <= at:
				return domain.SentNothing
			case r.count < end:
				return domain.SentPartly
			}
			return domain.SentFully
		}
		at = end
	}
	return domain.SentNothing
}

func (r *harness) connect() { r.do(func() { r.m.Connect(r.now, domain.ConnectOptions{}) }) }

func (r *harness) send(size int, silent bool, timeout time.Duration) {
	n := newNote(string(make([]byte, size)))
	n.silent = silent
	r.do(func() {
		can, waits := r.m.CanSend(), r.m.Reauthenticating()
		if errors.Is(can, domain.ErrThrottled) && r.m.ThrottleDelay(r.now) == 0 {
			can = nil // the Machine does not know the time yet, as Send does
			if r.m.ResponsesDue() >= r.max {
				can = domain.ErrTooManyInFlight
			}
		}
		f, err := r.m.Send(r.now, n, timeout)
		if err == nil {
			r.requests = append(r.requests, &admitted{f: f, id: f.CorrelationID, epoch: r.m.Epoch(), silent: silent,
				due: r.now.Add(cmp.Or(timeout, 30*time.Second))})
		}
		if err == nil && waits {
			r.t.Fatalf("#%d was admitted while the session is renewed", f.CorrelationID)
		}
		if errors.Is(err, domain.ErrReauthenticating) {
			r.see("refused for a login")
		}
		if err == nil && can != nil || err != nil && can == nil && !errors.Is(err, domain.ErrBackPressure) {
			r.t.Fatalf("CanSend said %v, Send said %v", can, err)
		}
	})
}

// use replaces the mechanisms.
func (r *harness) use(names ...string) {
	var list []domain.Mechanism
	for _, name := range names {
		list = append(list, domain.Mechanism{Name: name})
	}
	r.replacing = true
	r.do(func() { r.m.SetMechanisms(r.now, list) })
	r.replacing = false
}

func (r *harness) abandon(i int) {
	if len(r.requests) == 0 {
		return
	}
	a := r.requests[i%len(r.requests)]
	if a.abandoned {
		return // it belongs to the Machine
	}
	r.do(func() { r.m.Abandon(a.f) })
	r.requests = append(r.requests[:i%len(r.requests)], r.requests[i%len(r.requests)+1:]...)
}

func (r *harness) addresses(n int) {
	if r.lookup == 0 || r.resolved == r.lookup {
		return
	}
	epoch, err, ignored := r.lookup, error(nil), r.sink.ignored
	r.resolved = epoch
	if n == 0 {
		err = errors.New("no such host")
	}
	r.do(func() { r.m.HandleAddresses(r.now, epoch, make([]ports.Endpoint, n), err) })
	if r.sink.ignored == ignored {
		r.lookup = 0 // else it is yet to be hung up
	}
}

func (r *harness) rise(s ports.Stage) {
	if r.link != 0 && s > r.stage {
		r.stage = s
		r.do(func() { r.m.HandleStage(r.now, r.link, s) })
	}
}

func (r *harness) written(n int) {
	if r.lent == nil {
		return
	}
	n = min(n, len(r.lent))
	r.count += n
	r.lent = nil
	r.do(func() { r.m.HandleWritten(r.now, r.lentBy, n) })
}

func (r *harness) writable() {
	if r.link != 0 && r.stage == ports.StageEstablished {
		r.do(func() { r.m.HandleWritable(r.now, r.link) })
	}
}

// serve lets the broker take up what has arrived, and answer it. early: also what
// the writer has not reported yet.
func (r *harness) serve(early bool) {
	reach := r.count
	if early {
		reach = len(r.stream)
	}
	for r.arrived < reach {
		f := r.stream[r.arrived:]
		end := 4 + int(binary.BigEndian.Uint32(f))
		if r.arrived+end > reach {
			return
		}
		r.arrived += end
		r.answer(int16(binary.BigEndian.Uint16(f[4:])), int16(binary.BigEndian.Uint16(f[6:])),
			int32(binary.BigEndian.Uint32(f[8:])))
	}
}

func (r *harness) answer(key, version int16, id int32) {
	switch key {
	case ports.KeyAPIVersions:
		if r.deaf {
			return
		}
		r.answers = append(r.answers, frame(id, tableBody(0, version, standardTable)))
	case ports.KeySASLHandshake:
		r.login = true
		r.answers = append(r.answers, frame(id, []byte("0 PLAIN")))
	case ports.KeySASLAuthenticate:
		if r.loggedIn {
			r.see("renewed")
		}
		r.login, r.loggedIn = false, true
		r.answers = append(r.answers, frame(id, fmt.Appendf(nil, "0|||%d", r.lifetime)))
	default:
		if r.sasl && (r.login || !r.loggedIn) {
			r.t.Fatalf("request #%d within a login", id)
		}
		for _, a := range r.requests {
			if a.id == id && a.silent {
				return
			}
		}
		var body []byte
		if r.throttle > 0 {
			body = fmt.Appendf(nil, "throttled %d ", r.throttle)
		}
		r.answers = append(r.answers, frame(id, fmt.Appendf(body, "answer %d", id)))
	}
}

// read delivers at most n bytes of the first answer.
func (r *harness) read(n int) {
	if len(r.answers) == 0 || r.link == 0 {
		return
	}
	n = min(n, len(r.answers[0]))
	r.bytes(r.answers[0][:n])
	if len(r.answers) == 0 { // the link was lost over it
		return
	}
	if r.answers[0] = r.answers[0][n:]; len(r.answers[0]) == 0 {
		r.answers = r.answers[1:]
	}
}

// garbage is what no broker says.
func (r *harness) garbage(p []byte) {
	r.soiled = true
	r.bytes(p)
}

func (r *harness) bytes(p []byte) {
	for len(p) > 0 && r.link != 0 && r.stage == ports.StageEstablished {
		epoch := r.link
		r.do(func() {
			n := copy(r.m.Space(), p)
			p = p[n:]
			r.m.HandleRead(r.now, epoch, n)
		})
	}
}

func (r *harness) token(text string, done bool, err error) {
	if !r.asked {
		return
	}
	r.asked = false
	token := []byte(text)
	if text == "" {
		token = nil
		if done { // the mechanism wants it so, whatever the broker waits for
			r.login, r.loggedIn = false, true
		}
	}
	r.do(func() { r.m.HandleToken(r.now, r.link, token, done, err) })
}

func (r *harness) lost() {
	if r.link != 0 {
		r.do(func() { r.m.HandleLost(r.now, r.link, io.EOF) })
	}
}

// oldNews brings an event of an epoch that is over: nothing changes.
func (r *harness) oldNews(which int, epoch uint64) {
	if epoch >= r.m.Epoch() || epoch == r.lentBy && r.lent != nil {
		return
	}
	before, counted := r.picture(), r.sink.ignored
	news := []func(){
		func() { r.m.HandleAddresses(r.now, epoch, make([]ports.Endpoint, 1), nil) },
		func() { r.m.HandleStage(r.now, epoch, ports.StageEstablished) },
		func() { r.m.HandleRead(r.now, epoch, 4) },
		func() { r.m.HandleWritten(r.now, epoch, 1) },
		func() { r.m.HandleWritable(r.now, epoch) },
		func() { r.m.HandleToken(r.now, epoch, []byte("x"), true, nil) },
		func() { r.m.HandleLost(r.now, epoch, io.EOF) },
		func() { r.m.HandleAddresses(r.now, epoch, nil, io.EOF) },
	}
	r.do(news[which%len(news)])
	r.see("stale news")
	if after := r.picture(); after != before || r.sink.ignored != counted+1 {
		r.t.Fatalf("stale news: %s, before %s; counted %d", after, before, r.sink.ignored-counted)
	}
}

func (r *harness) picture() string {
	return fmt.Sprint(r.m.State(), r.m.Epoch(), r.m.InFlight(), r.m.InFlight(), r.m.PendingBytes(),
		r.m.Failures(), r.m.NextDeadline(), r.m.LastError(), r.m.CanSend())
}

func (r *harness) timeout(d time.Duration) {
	r.now = r.now.Add(d)
	r.do(func() { r.m.HandleTimeout(r.now) })
	for _, a := range r.requests {
		if r.m.State() == domain.Connected && !a.abandoned && a.f.Completed.IsZero() && !a.due.After(r.now) {
			r.t.Fatalf("#%d was due at %v, it is %v, and the connection is open", a.id, a.due, r.now)
		}
	}
	if until := r.m.NextDeadline(); !until.IsZero() && !until.After(r.now) {
		r.t.Fatalf("after HandleTimeout at %v the deadline is %v", r.now, until)
	}
}

// finish closes for good and wants everything done.
func (r *harness) finish() {
	r.t.Helper()
	r.do(func() { r.m.Close(r.now, nil, true) })
	r.drain()
	r.written(1 << 30)
	r.drain()
	if len(r.requests) != 0 {
		r.t.Fatalf("%d requests are never done", len(r.requests))
	}
	if r.lookup != 0 || r.link != 0 || !r.m.NextDeadline().IsZero() || r.m.State() != domain.Closed {
		r.t.Fatalf("closed, and yet lookup %d, link %d, deadline %v", r.lookup, r.link, r.m.NextDeadline())
	}
}

// up brings the connection up, or as far as it comes.
func (r *harness) up(upTo domain.State) {
	if upTo == domain.Disconnected {
		return
	}
	for range 40 {
		r.drain()
		if r.m.State() == upTo {
			return
		}
		switch {
		case r.m.State() == domain.Disconnected:
			r.timeout(2 * time.Second)
			r.connect()
		case r.lookup != 0:
			r.addresses(1)
		case r.link != 0 && r.stage == ports.StageDialing && upTo == domain.Handshake:
			r.rise(ports.StageSecuring)
		case r.link != 0 && r.stage != ports.StageEstablished:
			r.rise(ports.StageEstablished)
		case r.lent != nil:
			r.written(1 << 30)
		case r.asked:
			r.token("secret", true, nil)
		default:
			r.serve(false)
			r.read(1 << 30)
		}
	}
}
