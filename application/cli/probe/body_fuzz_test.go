package probe

import (
	"testing"

	"brokerconn/adapters/kafkacodec"
)

// FuzzBody: no text that somebody pipes in makes the reader of bodies panic.
func FuzzBody(f *testing.F) {
	for _, s := range []string{`{}`, `{"Topics":[{"Topic":"a"}]}`, `{"topics":null}`, `[`, `{"Topics":{}}`, `{"Topics":[{"Topic":1}]}`, "\xff", `{"TransactionalID":null,"Acks":1e9}`} {
		f.Add(s, int16(0))
		f.Add(s, int16(3))
	}
	f.Fuzz(func(t *testing.T, text string, key int16) {
		name := kafkacodec.KeyName(key)
		req, ok := kafkacodec.RequestByName(name)
		if !ok {
			return
		}
		if err := readBody([]byte(text), req); err == nil {
			req.AppendTo(nil)
		} else if err.Error() == "" {
			t.Fatal("an error without words")
		}
	})
}
