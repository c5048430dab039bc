package domain_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"brokerconn/ports"
)

// note is the tests' request: its body is its text.
type note struct {
	key, min, max int16
	flexibleFrom  int16
	text          string
	silent        bool   // the broker does not answer
	panics        string // "describe", "encode" or "hold"
	hold          time.Duration
}

func (n *note) Key() int16 { return n.key }

func newNote(text string) *note { return &note{key: 3, max: 2, flexibleFrom: -1, text: text} }

// textCodec writes bodies that people can read.
//
//	ApiVersions      request v3 on: name/version, v5: and " cluster node"
//	                 response: int16 error code, then "v4 0:0-9 3:0-12": the
//	                 version that the text is written in, then the table
//	SaslHandshake    request: the mechanism. Response: "33 PLAIN SCRAM"
//	SaslAuthenticate request: the token. Response: "58|message|token"
//	note             the text
type textCodec struct{ panics bool }

func (*textCodec) Describe(m ports.Message) (ports.Traits, error) {
	switch m := m.(type) {
	case *ports.APIVersionsRequest:
		return ports.Traits{MaxVersion: 5, FlexibleFrom: 3}, nil
	case *ports.ProbeRequest:
		return ports.Traits{FlexibleFrom: -1}, nil
	case *ports.SASLHandshakeRequest:
		return ports.Traits{MaxVersion: 1, FlexibleFrom: -1}, nil
	case *ports.SASLAuthenticateRequest:
		return ports.Traits{MaxVersion: 2, FlexibleFrom: 2}, nil
	case *note:
		if m.panics == "describe" {
			panic("describe")
		}
		return ports.Traits{MinVersion: m.min, MaxVersion: m.max, FlexibleFrom: m.flexibleFrom,
			NoResponse: m.silent}, nil
	}
	return ports.Traits{}, fmt.Errorf("no such message: %T", m)
}

func (*textCodec) AppendBody(dst []byte, m ports.Message, version int16) ([]byte, error) {
	switch m := m.(type) {
	case *ports.APIVersionsRequest:
		if version >= 3 {
			dst = append(dst, m.SoftwareName+"/"+m.SoftwareVersion...)
		}
		if version >= 5 {
			dst = append(dst, fmt.Sprintf(" %s %d", m.ClusterID, m.NodeID)...)
		}
		return dst, nil
	case *ports.ProbeRequest:
		return append(dst, strings.Join(m.Topics, ",")...), nil
	case *ports.SASLHandshakeRequest:
		return append(dst, m.Mechanism...), nil
	case *ports.SASLAuthenticateRequest:
		return append(dst, m.Token...), nil
	case *note:
		switch m.panics {
		case "encode":
			_ = append(dst, "half of"...)
			panic("encode")
		case "fail":
			return append(dst, "half of"...), errors.New("no such text")
		}
		return append(dst, m.text...), nil
	}
	return dst, fmt.Errorf("no such message: %T", m)
}

func (c *textCodec) Decode(req ports.Message, version int16, body []byte) (ports.Message, error) {
	if c.panics {
		panic("decode")
	}
	switch req.(type) {
	case *ports.APIVersionsRequest:
		return decodeTable(version, body)
	case *ports.ProbeRequest:
		return &ports.ProbeResponse{APIKey: req.Key()}, nil
	case *ports.SASLHandshakeRequest:
		code, rest, _ := strings.Cut(string(body), " ")
		n, err := strconv.ParseInt(code, 10, 16)
		return &ports.SASLHandshakeResponse{ErrorCode: int16(n), Mechanisms: strings.Fields(rest)}, err
	case *ports.SASLAuthenticateRequest:
		parts := strings.SplitN(string(body), "|", 4)
		if len(parts) < 3 {
			return nil, errors.New("want code|message|token")
		}
		n, err := strconv.ParseInt(parts[0], 10, 16)
		lifetime := int64(0)
		if len(parts) == 4 {
			lifetime, err = strconv.ParseInt(parts[3], 10, 64)
		}
		return &ports.SASLAuthenticateResponse{ErrorCode: int16(n), ErrorMessage: parts[1],
			Token: []byte(parts[2]), SessionLifetimeMillis: lifetime}, err
	}
	return nil, fmt.Errorf("no such message: %T", req)
}

func (*textCodec) Hold(m ports.Message, _ int16) time.Duration {
	n, ok := m.(*note)
	if !ok {
		return 0
	}
	if n.panics == "hold" {
		panic("hold")
	}
	return n.hold
}

// Throttle reads "throttled 500 ...", and "delayed 500 ..." where the broker did so
// itself. A table has "throttled=500".
func (c *textCodec) Throttle(_ ports.Message, _ int16, body []byte) (ms int32, wait bool) {
	if c.panics {
		panic("throttle")
	}
	if _, inTable, ok := bytes.Cut(body, []byte(" throttled=")); ok {
		body = append([]byte("throttled "), inTable...)
	}
	rest, wait := bytes.CutPrefix(body, []byte("throttled "))
	rest, delayed := bytes.CutPrefix(rest, []byte("delayed "))
	if !wait && !delayed {
		return 0, false
	}
	number, _, _ := bytes.Cut(rest, []byte(" "))
	n, _ := strconv.ParseInt(string(number), 10, 32)
	return int32(n), wait
}

func decodeTable(version int16, body []byte) (ports.Message, error) {
	if len(body) < 2 {
		return nil, errors.New("too short")
	}
	r := &ports.APIVersionsResponse{ErrorCode: int16(binary.BigEndian.Uint16(body))}
	words := strings.Fields(string(body[2:]))
	if len(words) == 0 || words[0] != fmt.Sprintf("v%d", version) {
		return nil, fmt.Errorf("written in another version than v%d", version)
	}
	for _, w := range words[1:] {
		if strings.HasPrefix(w, "throttled=") {
			continue
		}
		var a ports.APIRange
		if _, err := fmt.Sscanf(w, "%d:%d..%d", &a.Key, &a.Min, &a.Max); err != nil {
			return nil, fmt.Errorf("range %q: %w", w, err)
		}
		r.Ranges = append(r.Ranges, a)
	}
	return r, nil
}

const standardTable = "0:0..9 3:0..12 17:0..1 18:0..4 36:0..1"

func tableBody(code int16, version int16, table string) []byte {
	return fmt.Appendf(binary.BigEndian.AppendUint16(nil, uint16(code)), "v%d %s", version, table)
}

// frame is an answer as it travels.
func frame(id int32, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(4+len(body)))
	b = binary.BigEndian.AppendUint32(b, uint32(id))
	return append(b, body...)
}

// tally is a metrics sink that counts, and panics on request, and if a connection is closed
// as ready that was not, or the other way round.
type tally struct {
	isReady                  bool
	started, ready, closed   int
	sent, answered, failed   int
	timedOut, clean          int
	bytesSent, bytesReceived int
	ignored, dropped         int
	refused, canceled        int
	stalled, reconnected     int
	logins, relogins         int
	loginsFailed             int
	loginTook                time.Duration // the last one
	panics                   bool
	response                 struct { // the last one
		size     int
		throttle time.Duration
	}
}

func (t *tally) event() {
	if t.panics {
		t.panics = false
		panic("the sink is broken")
	}
}

func (t *tally) ConnectionStarted(time.Time) {
	t.started++
	t.isReady = false
	t.event()
}
func (t *tally) ConnectionReady(time.Time, time.Duration) {
	t.ready++
	t.isReady = true
	t.event()
}
func (t *tally) ConnectionClosed(_ time.Time, ready, clean bool) {
	if ready != t.isReady {
		panic(fmt.Sprintf("ConnectionClosed: got ready %v, want %v", ready, t.isReady))
	}
	t.closed++
	if clean {
		t.clean++
	}
	t.event()
}
func (t *tally) LoginSucceeded(_ time.Time, reauth bool, took time.Duration) {
	t.loginTook = took
	if reauth {
		t.relogins++
	} else {
		t.logins++
	}
	t.event()
}
func (t *tally) LoginFailed(time.Time, bool)              { t.loginsFailed++; t.event() }
func (t *tally) RequestSent(time.Time, int16, int16, int) { t.sent++; t.event() }
func (t *tally) ResponseReceived(_ time.Time, _, _ int16, n int, throttle time.Duration, _ ports.Timing) {
	t.answered++
	t.response.size, t.response.throttle = n, throttle
	t.event()
}
func (t *tally) RequestFailed(_ time.Time, _, _ int16, timedOut bool, _ ports.Timing) {
	t.failed++
	if timedOut {
		t.timedOut++
	}
	t.event()
}
func (t *tally) BytesSent(_ time.Time, n int)     { t.bytesSent += n; t.event() }
func (t *tally) BytesReceived(_ time.Time, n int) { t.bytesReceived += n; t.event() }
func (t *tally) StaleIgnored(time.Time)           { t.ignored++; t.event() }
func (t *tally) ResponseDropped(time.Time)        { t.dropped++; t.event() }
func (t *tally) Reconnected(time.Time)            { t.reconnected++; t.event() }

func (t *tally) RequestRefused(time.Time, int16)         { t.refused++; t.event() }
func (t *tally) RequestCanceled(_ time.Time, _, _ int16) { t.canceled++; t.event() }
func (t *tally) RequestStalled(_ time.Time, _, _ int16)  { t.stalled++; t.event() }

var _ ports.MetricsSink = (*tally)(nil)
