package probe

import (
	"testing"

	"brokerconn/adapters/kafkacodec"
)

// FuzzBody checks that no text makes readBody panic.
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"Topics":[{"Topic":"a"}]}`, `{"topics":null}`, `[`, `{"Topics":{}}`, `{"Topics":[{"Topic":1}]}`,
		"\xff", `{"TransactionalID":null,"Acks":1e9}`,
	} {
		f.Add(s, int16(0))
		f.Add(s, int16(3))
	}
	f.Fuzz(func(t *testing.T, text string, key int16) {
		req, ok := kafkacodec.RequestByName(kafkacodec.KeyName(key))
		if !ok {
			return
		}
		if err := readBody([]byte(text), req); err == nil {
			req.AppendTo(nil)
		} else if err.Error() == "" {
			t.Fatal("got an error without text")
		}
	})
}
