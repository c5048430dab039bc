package domain_test

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"brokerconn/domain"
	"brokerconn/domain/release"
	"brokerconn/ports"
)

// The files of testdata/conversations are conversations with a bare Machine: prose, then
// blocks of commands, a line "----", and what the Machine answers, up to an
// empty line. They are written from the rules, not from a run: there is no flag
// that rewrites them.
//
// After each command Next is called until Idle. Each output is a line; the last
// Idle of a block is its last line. "stale" is news that the Machine counted as
// stale; "refused" is what Send said. Requests are called by their correlation
// id. See the map commands for what can be said, and textCodec for the bodies.
//
// What the conversations execute is counted, state by input; see matrix_test.go.
type conversation struct {
	t       *testing.T
	cells   matrix
	m       *domain.Machine
	codec   *textCodec
	sink    *tally
	now     time.Time
	until   time.Time // of Connect
	out     []string  // of the block
	quiet   bool
	state   domain.State // as the Changed outputs tell it
	lent    []byte       // of the last Transmit
	lentBy  uint64       // its epoch
	rest    int          // bytes that are left of a frame that was begun
	futures map[int32]*domain.Future
	flex    map[int32]bool
	idle    domain.Output
	asked   int32 // the id of the core's own last call
	tokens  bool  // frames that are transmitted are raw tokens
	hosts   []string
}

type args struct {
	words []string
	named map[string]string
}

func (a args) word(i int) string {
	if i < len(a.words) {
		return a.words[i]
	}
	return ""
}

func words(words ...string) args { return args{words: words} }

func (a args) has(word string) bool { return slices.Contains(a.words, word) }

func (a args) id() int32 {
	n, err := strconv.ParseInt(strings.TrimPrefix(a.word(0), "#"), 10, 32)
	if err != nil {
		panic("want #id, not " + a.word(0))
	}
	return int32(n)
}

func (a args) duration(name string) time.Duration {
	text, ok := a.named[name]
	if !ok {
		return 0
	}
	return must(time.ParseDuration(text))
}

func (a args) number(name string, or int) int {
	text, ok := a.named[name]
	if !ok {
		return or
	}
	return must(strconv.Atoi(text))
}

// must returns v, and panics if a command is not written as it should be.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var commands map[string]func(*conversation, args)

func init() {
	commands = map[string]func(*conversation, args){
		// a new Machine in a phase: see phases, connected, closed; settings by name; traced: with events
		"given":     (*conversation).given,
		"after":     (*conversation).after,     // time passes without HandleTimeout
		"connect":   (*conversation).connect,   //
		"send":      (*conversation).send,      // "text" [key= min= max= flexible= timeout= hold=] [silent] [panics=]
		"raw":       (*conversation).raw,       // "text" key= version= [flexible] [silent]
		"abandon":   (*conversation).abandon,   // #id
		"recycle":   (*conversation).recycle,   // #id
		"close":     (*conversation).close,     // [cause=] [final]
		"drain":     (*conversation).drainAll,  // [final]
		"hold":      (*conversation).holdOpen,  // [no]
		"within":    (*conversation).within,    // 2s
		"addresses": (*conversation).addresses, // a b c [secure=encrypted or verified], or error=, or none
		"try":       (*conversation).try,       // a [reached, overtaken, failed]
		"stage":     (*conversation).stage,     // connecting, securing, established
		"answer":    (*conversation).answer,    // #id "text" [tags=hex] [first=n: cut off]
		"versions":  (*conversation).versions,  // [code=] [version=] "table": the answer to ApiVersions
		"mechanism": (*conversation).answerOwn, // "code names": the answer to SaslHandshake
		// "code|message|token[|lifetime in ms]": the answer to SaslAuthenticate
		"login":     (*conversation).answerOwn,
		"tokens":    (*conversation).rawTokens,    // raw, or wrapped: how those that are transmitted are shown
		"raw-token": (*conversation).rawToken,     // "text": from the broker
		"check":     (*conversation).checkVersion, // [strict] [topics=a,b]
		"renew":     (*conversation).renew,        // Reauthenticate
		"use":       (*conversation).use,          // PLAIN,SCRAM: SetMechanisms; the first exposes with exposed
		"bytes":     (*conversation).bytes,        // hex= or text=, as they stand
		"written":   (*conversation).written,      // all, or a number
		"writable":  (*conversation).writable,     //
		"token":     (*conversation).token,        // "text" [done], nil [done]; error= alone, or beside a text
		"lost":      (*conversation).lost,         // EOF, reset
		"timeout":   (*conversation).timeout,      // +10s: time passes, then HandleTimeout
		"why":       (*conversation).why,          // LastError in full, and its hint
		"metrics":   (*conversation).metrics,      // the sink's sums
		"ask":       (*conversation).ask,          // [pending]: the Machine's questions
		"found":     (*conversation).found,        // the release, if probes found it, its evidence, and what that took
		"sent":      (*conversation).sent,         // #id: Machine.Sent
		"last-id":   (*conversation).lastID,       // sets the last correlation id
		"break":     (*conversation).breakPort,    // codec, metrics: the next call panics
	}
}

func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/conversations/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no conversations", err)
	}
	cells, held := matrix{}, 0
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			(&conversation{t: t, cells: cells}).hold(file, string(text))
			held++
		})
	}
	if held == len(files) { // all of them were asked for
		cells.validate(t)
	}
}

var wordPattern = regexp.MustCompile(`(?:[a-z]+=)?"(?:[^"\\]|\\.)*"|\S+`)

// hold runs one file.
func (k *conversation) hold(file, text string) {
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); {
		if lines[i] == "" || strings.HasPrefix(lines[i], "#") {
			i++
			continue
		}
		first := i
		k.out = nil
		for ; i < len(lines) && lines[i] != "----"; i++ {
			if lines[i] == "" {
				k.t.Fatalf("%s:%d: commands without ----", file, i+1)
			}
			if !strings.HasPrefix(lines[i], "#") {
				k.run(file, i+1, lines[i])
			}
		}
		k.say("%s", k.idleLine())
		i++
		var want []string
		for ; i < len(lines) && lines[i] != ""; i++ {
			want = append(want, lines[i])
		}
		if !slices.Equal(k.out, want) {
			k.t.Errorf("%s:%d\n%s\n---- want\n%s\n---- got\n%s", file, first+1,
				strings.Join(lines[first:i], "\n"), strings.Join(want, "\n"), strings.Join(k.out, "\n"))
		}
	}
}

func (k *conversation) run(file string, line int, text string) {
	var a args
	a.named = map[string]string{}
	words := wordPattern.FindAllString(text, -1)
	for _, w := range words[1:] {
		name, value, named := strings.Cut(w, "=")
		if strings.HasPrefix(w, `"`) {
			named = false
		}
		if !named {
			value = w
		}
		if strings.HasPrefix(value, `"`) {
			value, _ = strconv.Unquote(value)
		}
		if named {
			a.named[name] = value
		} else {
			a.words = append(a.words, value)
		}
	}
	do := commands[words[0]]
	if do == nil {
		k.t.Fatalf("%s:%d: no such command: %s", file, line, words[0])
	}
	do(k, a)
}

func (k *conversation) say(format string, v ...any) {
	if !k.quiet {
		k.out = append(k.out, fmt.Sprintf(format, v...))
	}
}

// do carries out one input, counts it in the matrix, and drains the Machine.
func (k *conversation) do(input string, call func()) {
	before, ignored, lines := k.m.State(), k.sink.ignored, len(k.out)
	effect := "."
	func() {
		defer func() {
			if p := recover(); p != nil {
				k.say("panics: %v", p)
				effect = "P"
			}
		}()
		call()
	}()
	if k.sink.ignored > ignored {
		effect = "s"
		k.say("stale")
	}
	k.drain()
	switch {
	case k.quiet:
		return
	case effect == "." && k.m.State() != before && k.m.State().Down():
		effect = "D"
	case effect == "." && len(k.out) > lines && strings.HasPrefix(k.out[lines], "refused"):
		effect = "R"
	case effect == "." && len(k.out) > lines:
		effect = "L"
	}
	k.cells.count(before, input, effect)
}

func (k *conversation) drain() {
	for {
		out := k.m.Next()
		switch out.Kind {
		case domain.Idle:
			k.idle = out
			return
		case domain.Changed:
			if out.From != k.state || !out.From.MayBecome(out.To) {
				k.t.Errorf("the state was %v; no move %v -> %v", k.state, out.From, out.To)
			}
			k.state = out.To
			k.say("changed %v -> %v%s", out.From, out.To, brief(out.Err))
		case domain.Resolve:
			k.say("resolve epoch=%d", out.Epoch)
		case domain.Open:
			if out.Endpoints == nil {
				k.say("open epoch=%d %s", out.Epoch, out.Endpoint.Address)
				break
			}
			k.say("race epoch=%d %s delay=%v", out.Epoch, strings.Join(addressesOf(out.Endpoints), " "), out.Delay)
		case domain.Transmit:
			if out.Epoch != k.lentBy {
				k.rest = 0
			}
			k.lent, k.lentBy = out.Data, out.Epoch
			k.say("transmit epoch=%d%s", out.Epoch, k.frames(out.Data))
		case domain.Challenge:
			if out.Data == nil {
				k.say("challenge epoch=%d start", out.Epoch)
			} else {
				k.say("challenge epoch=%d %q", out.Epoch, out.Data)
			}
		case domain.Hangup:
			k.say("hangup")
		case domain.Completed:
			f := out.Future
			if !f.Done() {
				k.t.Errorf("#%d came out of Next and is not done", f.CorrelationID)
			}
			switch {
			case f.Err() != nil:
				k.say("failed #%d %v%s", f.CorrelationID, f.Sent(), brief(f.Err()))
			case f.Body() == nil:
				k.say("completed #%d written", f.CorrelationID)
			default:
				k.say("completed #%d %q", f.CorrelationID, f.Body())
			}
		case domain.Noted:
			k.say("noted %s%s", eventNames[out.Event.Kind], about(out.Event))
		}
	}
}

var eventNames = map[domain.EventKind]string{
	domain.EventResolveStart: "resolving", domain.EventResolveDone: "resolved",
	domain.EventDialStart: "connecting", domain.EventDialDone: "connected", domain.EventTLSHandshakeDone: "secured",
	domain.EventVersions: "versions", domain.EventReleaseDetected: "old release",
	domain.EventAPIsLeftOut: "left out",
	domain.EventAuthStart:   "login", domain.EventAuthDone: "logged in", domain.EventPlaintextCredentials: "exposed",
	domain.EventWritten: "written", domain.EventAnswered: "answered", domain.EventFailed: "failed",
	domain.EventThrottled: "throttled", domain.EventIdle: "idle too long",
	domain.EventStalled: "stalled", domain.EventIdleLost: "idle lost",
	domain.EventWarning: "warning",
}

// about returns what an event reports beside its kind.
func about(e *domain.Event) string {
	var b strings.Builder
	if e.Endpoint.Address != "" {
		b.WriteString(" " + e.Endpoint.Address)
	}
	for _, to := range e.Endpoints {
		b.WriteString(" " + to.Address)
	}
	b.WriteString(aboutLogin(e.Login))
	if release, evidence, ok := e.Versions.Detected(); ok {
		fmt.Fprintf(&b, " %v: %s", release, strings.Join(evidence, "; "))
	} else if e.Kind == domain.EventAPIsLeftOut {
		fmt.Fprintf(&b, " %v", e.Versions.LeftOut())
	} else if e.Versions != nil {
		fmt.Fprintf(&b, " asked at v%d, %d APIs", e.Versions.RequestVersion(), len(e.Versions.Ranges()))
	}
	if e.Request.CorrelationID != 0 {
		fmt.Fprintf(&b, " #%d", e.Request.CorrelationID)
	}
	if e.Text != "" {
		fmt.Fprintf(&b, " %q", e.Text)
	}
	return b.String() + brief(e.Err)
}

func aboutLogin(l domain.LoginInfo) (about string) {
	if l.Mechanism != "" {
		about = " " + l.Mechanism
	}
	if l.Again {
		about += " again"
	}
	if l.Lifetime > 0 {
		about += " for " + l.Lifetime.String()
	}
	return about
}

func (k *conversation) idleLine() string {
	if k.idle.Deadline.IsZero() {
		return "idle"
	}
	return fmt.Sprintf("idle until=%+v", plus(k.idle.Deadline.Sub(k.now)))
}

func plus(d time.Duration) string {
	if d < 0 {
		return d.String()
	}
	return "+" + d.String()
}

// brief is an error's kind and cause, with few of the circumstances.
func brief(err error) string {
	var e *domain.Error
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &e):
		return ": " + err.Error()
	}
	about := ": " + e.Kind.Error()
	if e.ResponseBytes > 0 {
		about += fmt.Sprintf(", %d bytes into the response", e.ResponseBytes)
	}
	if e.Cause == nil {
		return about
	}
	return about + ": " + e.Cause.Error()
}

// frames reads back what is transmitted: "18v4#1(body)" for each frame begun,
// "..5" for the rest of one that was begun before.
func (k *conversation) frames(data []byte) string {
	var b strings.Builder
	if k.rest > 0 {
		fmt.Fprintf(&b, " ..%d", k.rest)
		data = data[k.rest:]
	}
	for len(data) > 0 {
		f := data[4 : 4+binary.BigEndian.Uint32(data)]
		data = data[len(f)+4:]
		if k.tokens {
			fmt.Fprintf(&b, " token(%s)", f)
			continue
		}
		key := int16(binary.BigEndian.Uint16(f))
		version := int16(binary.BigEndian.Uint16(f[2:]))
		id := int32(binary.BigEndian.Uint32(f[4:]))
		body := f[10+binary.BigEndian.Uint16(f[8:]):]
		flexible := key == ports.KeyAPIVersions && version >= 3 || key == ports.KeySASLAuthenticate && version >= 2
		if flexible || k.flex[id] {
			if body[0] != 0 {
				k.t.Errorf("#%d has no empty tag section", id)
			}
			body = body[1:]
		}
		if k.futures[id] == nil {
			k.asked = id
		}
		fmt.Fprintf(&b, " %dv%d#%d(%s)", key, version, id, body)
	}
	return b.String()
}

// phases leads a Machine that was just made, quietly, to where a conversation begins.
var phases = []struct {
	name string
	step func(*conversation)
}{
	{"disconnected", func(*conversation) {}},
	{"resolving", func(k *conversation) { k.connect(args{}) }},
	{"connecting", func(k *conversation) { k.addresses(args{words: k.hosts}) }},
	{"handshake", func(k *conversation) { k.stage(words("securing")) }},
	{"asking", func(k *conversation) { k.stage(words("established")) }},
	{"negotiating", func(k *conversation) { k.written(words("all")) }},
	{"mechanism", func(k *conversation) { k.versions(words(standardTable)); k.written(words("all")) }},
	{"token", func(k *conversation) { k.answerOwn(words("0 PLAIN")) }},
	{"login", func(k *conversation) { k.token(words("secret")); k.written(words("all")) }},
}

func (k *conversation) given(a args) {
	var node *int32
	if n := a.number("node", -1); n >= 0 {
		id := int32(n)
		node = &id
	}
	phase := a.word(0)
	mechanism := a.named["mechanism"]
	if slices.Contains([]string{"mechanism", "token", "login"}, phase) {
		mechanism = "PLAIN"
	}
	t, cells := k.t, k.cells
	*k = conversation{t: t, cells: cells, codec: &textCodec{}, sink: &tally{}, quiet: true,
		now:     time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		futures: map[int32]*domain.Future{}, flex: map[int32]bool{},
		hosts: strings.Split(cmp.Or(a.named["addresses"], "a"), ",")}
	cfg := domain.Config{
		Host: "broker", SoftwareName: "probe", SoftwareVersion: "1",
		ClusterID: a.named["cluster"], NodeID: node,
		Mechanisms: mechanisms(mechanism, a.has("exposed")), RequireTLSForPasswords: a.has("refusing"),
		MaxInFlight:      a.number("inflight", 0),
		MaxPendingBytes:  a.number("pending", 0),
		MaxFrameBytes:    int32(a.number("frame", 0)),
		IdleTimeout:      a.duration("idle"),
		PingInterval:     a.duration("warm"),
		MaxThrottle:      a.duration("throttle"),
		MaxHold:          a.duration("holds"),
		StallAfter:       a.duration("stall"),
		VersionsTimeout:  a.duration("asking"),
		ProbeOldReleases: !a.has("unprobed"),
		Race:             a.has("racing"),
		APIVersion:       releaseNamed(a.named["release"]),
		Codec:            k.codec, Metrics: k.sink, Trace: a.has("traced"), TraceRequests: a.has("traced"),
		TraceGivenUp: a.has("traced"),
	}
	switch a.named["rand"] {
	case "low":
		cfg.Rand = func() uint64 { return 0 }
	case "high":
		cfg.Rand = func() uint64 { return math.MaxUint64 }
	}
	k.m = domain.NewMachine(domain.Complete(cfg))
	k.drain()
	end := phase
	if phase == "connected" || phase == "closed" {
		end = "negotiating"
	}
	for _, p := range phases {
		if p.name != "handshake" || phase == "handshake" || a.has("tls") {
			p.step(k)
		}
		if p.name == end {
			break
		}
	}
	switch phase {
	case "connected":
		if k.m.State() == domain.Connected {
			break // the release is configured
		}
		k.versions(words(standardTable))
		if mechanism != "" {
			k.written(words("all"))
			k.answerOwn(words("0 PLAIN"))
			k.token(words("secret", "done"))
			k.written(words("all"))
			k.answerOwn(args{words: []string{"0|||" + cmp.Or(a.named["lifetime"], "0")}})
		}
	case "closed":
		k.close(words("final"))
	}
	k.quiet = false
	k.say("%v", k.m.State())
}

func releaseNamed(text string) (r release.Release) {
	fmt.Sscanf(strings.ReplaceAll(text, ".", " "), "%d %d %d", &r.Major, &r.Minor, &r.Patch)
	return r
}

func mechanisms(names string, exposed bool) (all []domain.Mechanism) {
	for name := range strings.SplitSeq(names, ",") {
		if name != "" {
			plain, shows := strings.CutSuffix(name, "!")
			all = append(all, domain.Mechanism{Name: plain, Exposes: exposed || shows})
		}
	}
	return all
}

func (k *conversation) rawTokens(a args) { k.tokens = a.has("raw") }

func (k *conversation) rawToken(a args) {
	text := a.word(0)
	k.read("read", a, append(binary.BigEndian.AppendUint32(nil, uint32(len(text))), text...))
}

func (k *conversation) checkVersion(a args) {
	c := domain.Check{Strict: a.has("strict")}
	if topics := a.named["topics"]; topics != "" {
		c.Topics = strings.Split(topics, ",")
	}
	k.do("check", func() { k.m.Connect(k.now, domain.ConnectOptions{Check: &c}) })
}

func (k *conversation) renew(args) { k.do("renew", func() { k.m.Reauthenticate(k.now) }) }

func (k *conversation) use(a args) {
	k.do("use", func() { k.m.SetMechanisms(k.now, mechanisms(a.word(0), a.has("exposed"))) })
}

func (k *conversation) after(a args) { k.now = k.now.Add(must(time.ParseDuration(a.word(0)))) }

func (k *conversation) connect(a args) {
	k.do("connect", func() { k.m.Connect(k.now.Add(-a.duration("ago")), domain.ConnectOptions{Until: k.until}) })
}

func (k *conversation) send(a args) {
	n := newNote(a.word(0))
	n.key = int16(a.number("key", 3))
	n.min, n.max = int16(a.number("min", 0)), int16(a.number("max", 2))
	n.flexibleFrom = int16(a.number("flexible", -1))
	n.silent = a.has("silent")
	n.panics, n.hold = a.named["panics"], a.duration("hold")
	k.admit(n, a, n.flexibleFrom)
}

func (k *conversation) raw(a args) {
	flexibleFrom := int16(-1)
	if a.has("flexible") {
		flexibleFrom = 0
	}
	k.admit(&ports.RawRequest{
		APIKey: int16(a.number("key", 3)), APIVersion: int16(a.number("version", 0)),
		Body: []byte(a.word(0)), Flexible: a.has("flexible"), NoResponse: a.has("silent"),
	}, a, flexibleFrom)
}

func (k *conversation) admit(req ports.Message, a args, flexibleFrom int16) {
	k.do("send", func() {
		f, err := k.m.Send(k.now, req, a.duration("timeout"))
		if err != nil {
			k.say("refused%s", brief(err))
			e, ok := errors.AsType[*domain.Error](err)
			if ok && e.Kind == domain.ErrUnsupportedVersion && e.Hint != "" {
				k.say("hint: %s", e.Hint)
			}
			return
		}
		k.futures[f.CorrelationID] = f
		k.flex[f.CorrelationID] = flexibleFrom >= 0 && f.Version >= flexibleFrom
		k.say("admitted #%d v%d", f.CorrelationID, f.Version)
	})
}

func (k *conversation) future(a args) *domain.Future {
	f := k.futures[a.id()]
	if f == nil {
		return &domain.Future{Request: newNote("")}
	}
	return f
}

func (k *conversation) abandon(a args) { k.do("abandon", func() { k.m.Abandon(k.future(a)) }) }

func (k *conversation) recycle(a args) {
	f := k.future(a)
	input := "recycle"
	if !f.Done() {
		input = "recycle-misuse"
	}
	k.do(input, func() { k.m.Recycle(f) })
}

func (k *conversation) close(a args) {
	input, cause := "close", error(nil)
	if text, ok := a.named["cause"]; ok {
		input, cause = "close-cause", errors.New(text)
	}
	if a.has("final") {
		input = "close-final"
	}
	k.do(input, func() { k.m.Close(k.now, cause, a.has("final")) })
}

// news is an input that carries an epoch: that of the current attempt, or the
// one given.
func (k *conversation) news(input string, a args, call func(epoch uint64)) {
	epoch := k.m.Epoch()
	if _, old := a.named["epoch"]; old {
		epoch = uint64(a.number("epoch", 0))
		input += "@old"
	}
	k.do(input, func() { call(epoch) })
}

func (k *conversation) drainAll(a args) {
	input := "drain"
	if a.has("final") {
		input = "drain-final"
	}
	k.do(input, func() { k.m.Drain(k.now, a.has("final")) })
}

func (k *conversation) holdOpen(a args) { k.do("hold", func() { k.m.Hold(k.now, !a.has("no")) }) }

func (k *conversation) within(a args) {
	k.until = k.now.Add(must(time.ParseDuration(a.word(0))))
	k.m.Connect(k.now, domain.ConnectOptions{Until: k.until}) // of the attempt under way
}

func (k *conversation) addresses(a args) {
	var eps []ports.Endpoint
	var err error
	input := "addresses"
	if text, ok := a.named["error"]; ok {
		input, err = "addresses-error", errors.New(text)
	} else if a.has("none") {
		input = "addresses-none"
	} else {
		for _, address := range a.words {
			secure := a.named["secure"]
			eps = append(eps, ports.Endpoint{Host: "broker", Network: "tcp", Address: address,
				Secure: secure != "", Verified: secure == "verified"})
		}
	}
	k.news(input, a, func(epoch uint64) { k.m.HandleAddresses(k.now, epoch, eps, err) })
}

func (k *conversation) try(a args) {
	t := ports.Try{Endpoint: ports.Endpoint{Host: "broker", Network: "tcp", Address: a.word(0)}, Done: a.word(1) != ""}
	t.Err = map[string]error{"overtaken": ports.ErrLostRace, "failed": errors.New("refused")}[a.word(1)]
	k.news("try", a, func(epoch uint64) { k.m.HandleTry(k.now, epoch, t) })
}

func addressesOf(eps []ports.Endpoint) (all []string) {
	for _, e := range eps {
		all = append(all, e.Address)
	}
	return all
}

func (k *conversation) stage(a args) {
	s := map[string]ports.Stage{
		"connecting": ports.StageDialing, "securing": ports.StageSecuring,
		"established": ports.StageEstablished, "unheard-of": 9,
	}[a.word(0)]
	k.news("stage-"+a.word(0), a, func(epoch uint64) { k.m.HandleStage(k.now, epoch, s) })
}

// read hands bytes in, as many at a time as Space takes.
func (k *conversation) read(input string, a args, data []byte) {
	if n := a.number("first", len(data)); n < len(data) {
		data = data[:n]
	}
	k.news(input, a, func(epoch uint64) {
		for {
			n := copy(k.m.Space(), data)
			k.m.HandleRead(k.now, epoch, n)
			if data = data[n:]; len(data) == 0 {
				return
			}
		}
	})
}

func (k *conversation) answer(a args) {
	k.read("read", a, frame(a.id(), append(must(hex.DecodeString(a.named["tags"])), a.word(1)...)))
}

func (k *conversation) versions(a args) {
	id := int32(a.number("id", int(k.asked)))
	k.read("read", a, frame(id, tableBody(int16(a.number("code", 0)), int16(a.number("version", 4)), a.word(0))))
}

func (k *conversation) answerOwn(a args) {
	k.read("read", a, frame(k.asked, append(must(hex.DecodeString(a.named["tags"])), a.word(0)...)))
}

func (k *conversation) bytes(a args) {
	data := []byte(a.named["text"])
	if text, ok := a.named["hex"]; ok {
		data = must(hex.DecodeString(text))
	}
	k.read("read-garbage", a, data)
}

func (k *conversation) written(a args) {
	n, input := len(k.lent), "written-all"
	if a.word(0) != "all" {
		n, _ = strconv.Atoi(a.word(0))
		input = "written-part"
	}
	epoch := k.m.Epoch()
	if k.lent != nil {
		epoch = k.lentBy
	}
	if _, old := a.named["epoch"]; old {
		epoch = uint64(a.number("epoch", 0))
		input += "@old"
	}
	k.do(input, func() {
		k.m.HandleWritten(k.now, epoch, n)
		if k.lent != nil && epoch == k.lentBy {
			k.forget(n)
		}
	})
}

// forget follows what is left of the frames that were handed out.
func (k *conversation) forget(n int) {
	data := k.lent[n:]
	at := k.rest
	for at < n {
		at += 4 + int(binary.BigEndian.Uint32(k.lent[at:]))
	}
	k.rest = at - n
	if len(data) == 0 {
		k.rest = 0
	}
	k.lent = nil
}

func (k *conversation) writable(a args) {
	k.news("writable", a, func(epoch uint64) { k.m.HandleWritable(k.now, epoch) })
}

func (k *conversation) token(a args) {
	token := []byte(a.word(0))
	if a.word(0) == "nil" || len(a.words) == 0 {
		token = nil
	}
	input, err := "token", error(nil)
	if text, ok := a.named["error"]; ok {
		input, err = "token-error", errors.New(text)
	}
	k.news(input, a, func(epoch uint64) { k.m.HandleToken(k.now, epoch, token, a.has("done"), err) })
}

func (k *conversation) lost(a args) {
	err := map[string]error{"EOF": io.EOF, "reset": errors.New("connection reset")}[a.word(0)]
	k.news("lost", a, func(epoch uint64) { k.m.HandleLost(k.now, epoch, err) })
}

func (k *conversation) timeout(a args) {
	d := must(time.ParseDuration(a.word(0)))
	k.now = k.now.Add(d)
	input := "timeout-early"
	if until := k.m.NextDeadline(); !until.IsZero() && !k.now.Before(until) || until.IsZero() && d >= time.Hour {
		input = "timeout-late"
	}
	k.do(input, func() { k.m.HandleTimeout(k.now) })
}

func (k *conversation) why(args) {
	var e *domain.Error
	if !errors.As(k.m.LastError(), &e) {
		k.say("no reason")
		return
	}
	k.say("%v", e)
	if e.Hint != "" {
		k.say("hint: %s", e.Hint)
	}
}

func (k *conversation) metrics(args) {
	s := k.sink
	k.say("started=%d ready=%d closed=%d clean=%d", s.started, s.ready, s.closed, s.clean)
	k.say("sent=%d answered=%d failed=%d timedout=%d", s.sent, s.answered, s.failed, s.timedOut)
	if s.dropped+s.stalled > 0 {
		k.say("dropped=%d stalled=%d", s.dropped, s.stalled)
	}
	if s.logins > 0 {
		k.say("logins=%d relogins=%d failed=%d", s.logins, s.relogins, s.loginsFailed)
	}
}

func (k *conversation) ask(a args) {
	delay, forever := k.m.ConnectionDelay(k.now)
	can := "yes"
	if err := k.m.CanSend(); err != nil {
		can = err.Error()
	}
	if d := k.m.ThrottleDelay(k.now); d > 0 {
		k.say("throttled for %v, %v in all", d, k.m.ThrottledTime())
	}
	if err := k.m.Pending(k.now, nil); a.has("pending") {
		k.say("pending: %v", err)
	}
	k.say("inflight=%d pending=%d failures=%d blackedout=%v delay=%v forever=%v can-send=%s",
		k.m.InFlight(), k.m.PendingBytes(), k.m.Failures(), k.m.BlackedOut(k.now), delay, forever, can)
}

func (k *conversation) found(args) {
	v := k.m.Versions()
	connections, trips := v.RoundTrips()
	what := ""
	if release, evidence, ok := v.Detected(); ok {
		what = fmt.Sprintf(" %v: %s", release, strings.Join(evidence, "; "))
	}
	k.say("found over %d connections, in %d round trips%s", connections, trips, what)
}

func (k *conversation) sent(a args) { k.say("#%d %v", a.id(), k.m.Sent(k.futures[a.id()])) }

func (k *conversation) lastID(a args) { k.m.SetLastCorrelationID(a.id()) }

func (k *conversation) breakPort(a args) {
	k.codec.panics = a.has("codec")
	k.sink.panics = a.has("metrics")
}
