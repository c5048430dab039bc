package probe

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/kafkacodec"
)

// FuzzAnswer prints any answer that the codec reads: as JSON of printable characters, which is read again as the same
// answer but for fields that kmsg does not know.
func FuzzAnswer(f *testing.F) {
	for _, key := range kafkacodec.Keys() {
		resp := kmsg.ResponseForKey(key)
		spoil(reflect.ValueOf(resp).Elem())
		for _, version := range []int16{0, resp.MaxVersion()} {
			resp.SetVersion(version)
			f.Add(key, version, resp.AppendTo(nil))
		}
	}
	f.Fuzz(func(t *testing.T, key, version int16, body []byte) {
		req := kmsg.RequestForKey(key)
		if req == nil || len(body) > 1<<14 {
			return
		}
		message, err := kafkacodec.Codec{}.Decode(req, version, body)
		if err != nil {
			return
		}
		text := responseJSON(message.(kmsg.Response))
		shownText := escaped(string(text))
		if !json.Valid(text) || !json.Valid([]byte(shownText)) {
			t.Fatalf("got %s, want JSON", text)
		}
		if i := strings.IndexFunc(shownText, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Fatalf("got %q, want printable characters", shownText[i:])
		}
		again := kmsg.ResponseForKey(key)
		again.SetVersion(version)
		r := bodyReader{json.NewDecoder(strings.NewReader(shownText))}
		r.tokens.UseNumber()
		if err := r.value(reflect.ValueOf(again).Elem(), ""); err != nil {
			t.Fatalf("%s: %v", shownText, err)
		}
		got := strings.ReplaceAll(string(responseJSON(again)), "\ufffd", `\ufffd`) // of bytes that are not UTF-8
		if want := strings.ReplaceAll(string(text), "\ufffd", `\ufffd`); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	})
}
