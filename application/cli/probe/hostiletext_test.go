package probe

import (
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/proxies"
)

// evil has what a terminal interprets: sequences of 7 and 8 bits, a bell, line ends, DEL,
// overrides and isolates of the writing direction, a separator of lines, a byte order mark
// and bytes that are not UTF-8. "FORGED" would begin a line of its own.
const evil = "a\x1b[2J\x1b]0;b\x07\r\nFORGED\u009b31md\u202ee\x7ff\u2028g\u2066h\ufeffi\u0085j\x9b\xff k"

// evilBroker answers every request with evil in all its texts, and SaslHandshake with its
// error code. Its table of API versions is true.
func evilBroker(t *testing.T, handshake int16) string {
	return proxies.Listen(t, func(c net.Conn) {
		defer c.Close()
		for {
			var head [12]byte // size, key, version, id
			if _, err := io.ReadFull(c, head[:]); err != nil {
				return
			}
			if _, err := io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint32(head[:]))-8); err != nil {
				return
			}
			resp := kmsg.ResponseForKey(int16(binary.BigEndian.Uint16(head[4:])))
			resp.SetVersion(int16(binary.BigEndian.Uint16(head[6:])))
			spoil(reflect.ValueOf(resp).Elem())
			switch resp := resp.(type) {
			case *kmsg.ApiVersionsResponse:
				resp.ErrorCode, resp.ApiKeys = 0, nil
				for key := range int16(kmsg.MaxKey) {
					if r := kmsg.RequestForKey(key); r != nil {
						resp.ApiKeys = append(resp.ApiKeys,
							kmsg.ApiVersionsResponseApiKey{ApiKey: key, MaxVersion: min(r.MaxVersion(), 4)})
					}
				}
			case *kmsg.SASLHandshakeResponse:
				resp.ErrorCode = handshake
			}
			body := head[8:12:12]
			if resp.IsFlexible() && resp.Key() != 18 {
				body = append(body, 0)
			}
			body = resp.AppendTo(body)
			if _, err := c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), body...)); err != nil {
				return
			}
		}
	})
}

// spoil sets every text of a message to evil and every error code to 58, with one element in
// each list.
func spoil(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(evil)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		spoil(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		spoil(v.Index(0))
	case reflect.Struct:
		for f, value := range v.Fields() {
			switch {
			case f.Name == "ErrorCode":
				value.SetInt(58)
			case f.IsExported() && f.Name != "Version" && f.Name != "UnknownTags" && f.Name != "ThrottleMillis":
				spoil(value)
			}
		}
	}
}

// TestTextOfPeersIsHarmless has every command, in both modes, at peers that put evil into
// all that they say.
func TestTextOfPeersIsHarmless(t *testing.T) {
	login := []string{"security_protocol=SASL_PLAINTEXT", "sasl_mechanism=PLAIN", "sasl_plain_username=alice",
		"sasl_plain_password=canary-evil"}
	lines := func(t *testing.T) string { return answersWith(t, "500 "+evil) }
	broker := func(t *testing.T) string { return evilBroker(t, 0) }
	commands := map[string][]struct {
		peer  func(*testing.T) string
		args  []string
		shows bool // the text of the peer, in each mode
	}{
		"ping":          {{broker, []string{"-c", "1"}, false}, {lines, []string{"-c", "1"}, false}},
		"apis":          {{broker, nil, false}, {lines, nil, false}},
		"check-version": {{broker, nil, true}, {broker, []string{"--diff", "itself"}, false}},
		"request": {{broker, []string{"Metadata"}, true}, {broker, []string{"DescribeConfigs"}, true},
			{broker, []string{"DescribeGroups"}, true}, {broker, []string{"DescribeCluster"}, true}},
		"auth": {{broker, with(nil, login...), true}, {broker, nil, false},
			{func(t *testing.T) string { return evilBroker(t, 33) }, with(nil, login...), true}},
		"tls": {{lines, nil, false}, {func(t *testing.T) string {
			ca := newAuthority(t, strings.ToValidUTF8(evil, ""))
			address, _ := secureServer(t, &tls.Config{Certificates: []tls.Certificate{ca.issue()}})
			return address
		}, nil, true}},
	}
	alone := map[string]bool{"demo": true, "help": true, "completion": true, "config": true} // without a peer
	for _, c := range (&app{}).root().Commands() {
		name := c.Name()
		if (commands[name] == nil) != alone[name] {
			t.Errorf("%s: got a command without a hostile peer, want one", name)
		}
		for _, row := range commands[name] {
			address := row.peer(t)
			args := []string{name, address, "--timeout", short}
			for _, a := range row.args {
				args = append(args, strings.ReplaceAll(a, "itself", address))
			}
			for _, args := range [][]string{args, append(args, "--json")} {
				var b strings.Builder
				Run(t.Context(), args, nil, &b, &b)
				checkHarmless(t, args, b.String())
				if row.shows && !strings.Contains(b.String(), "FORGED") {
					t.Errorf("%q: got %.500q, want the text of the peer in it", args, b.String())
				}
			}
		}
	}
}

func checkHarmless(t *testing.T, args []string, out string) {
	t.Helper()
	if c := control(out); c != "" || !utf8.ValidString(out) {
		t.Errorf("%q: got control character %s, want none", args, c)
	}
	if strings.Contains("\n"+out, "\nFORGED") {
		t.Errorf("%q: got %.500q, want the text of the peer within its line", args, out)
	}
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, `{"`) && !json.Valid([]byte(line)) {
			t.Errorf("%q: got %.500q, want JSON", args, line)
		}
	}
}

// TestShown: what is not to be interpreted is replaced, and nothing else.
func TestShown(t *testing.T) {
	var b strings.Builder
	const text = "two\nlines\tü 日本\u200b\x1b[m\u202e\xff"
	n, err := io.WriteString(shown{&b}, text)
	if want := "two\nlines\tü 日本??[m?\uFFFD"; b.String() != want || n != len(text) || err != nil {
		t.Errorf("got %q, %d bytes, %v; want %q, %d", b.String(), n, err, want, len(text))
	}
}
