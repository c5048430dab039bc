package model_test

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"brokerconn/adapters/simulation/model"
	"brokerconn/ports"
)

// TestDialects: the logins of kfake and of Tansu, as the real ones answered.
func TestDialects(t *testing.T) {
	refuse := func([]byte) ([]byte, string, error) { return nil, "", errors.New("no") }
	mechanisms := []model.Mechanism{model.Plain(map[string]string{"a": "b"}),
		{Name: "X", Begin: func() model.Exchange { return refuse }}}
	const handshake, unknown, scripted = "\x11PLAIN", "\x11NONE", "\x11X"
	const token, wrong = "\x24\x00a\x00b", "\x24\x00a\x00c"
	hexOf := func(s string) string { return hex.EncodeToString([]byte(s)) }
	offered := "00000002" + "0005" + hexOf("PLAIN") + "0001" + hexOf("X")
	plain := "00000001" + "0005" + hexOf("PLAIN")
	illegal := hexOf("Request is not valid given the current SASL state.")
	for _, c := range []struct {
		name    string
		dialect model.Dialect
		open    bool
		send    []string
		want    string // bodies, behind size and id, and how it ends
	}{
		{"kfake takes one", model.Kfake, false, []string{handshake, token},
			"000000000000 0000ffff00000000000000000000ea60"},
		{"kfake lacks one", model.Kfake, false, []string{unknown, handshake}, "0021" + offered + " 000000000000"},
		{"kfake refuses a token", model.Kfake, false, []string{handshake, wrong}, "000000000000 closed"},
		{"kfake has one login at a time", model.Kfake, false, []string{handshake, handshake}, "000000000000 closed"},
		{"kfake has sessions that end, or one login", model.Kfake, false, []string{handshake, token, unknown},
			"000000000000 0000ffff00000000000000000000ea60 0021" + offered},
		{"kfake wants a handshake first", model.Kfake, false, []string{token}, "closed"},
		{"kfake without logins", model.Kfake, true, []string{handshake, handshake, token},
			"000000000000 002200000000 closed"},
		{"kfake without logins or a handshake", model.Kfake, true, []string{token},
			"0022ffff000000000000000000000000"},
		{"Tansu takes one", model.Tansu, false, []string{handshake, token},
			"0000" + plain + " 00000004" + hexOf("NONE") + "00000000000000000000ea60"},
		{"Tansu lacks one", model.Tansu, false, []string{unknown}, "closed"},
		{"Tansu refuses a token", model.Tansu, false, []string{scripted, token},
			"0000" + "00000001" + "0001" + hexOf("X") + " 003a001b" + hexOf("SASL Authentication failed.") +
				"000000000000000000000000"},
		{"Tansu without logins", model.Tansu, true, []string{handshake, token},
			"0021" + plain + " 00220032" + illegal + "000000000000000000000000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cl := connect(t, &model.Broker{Dialect: c.dialect, Login: &model.Login{Open: c.open, Lifetime: time.Minute,
				Mechanisms: mechanisms}})
			var got []string
			for _, s := range c.send {
				if key := int16(s[0]); key == ports.KeySASLHandshake {
					cl.send(key, 1, false, append([]byte{0, byte(len(s) - 1)}, s[1:]...)...)
				} else {
					cl.send(key, 1, false, append([]byte{0, 0, 0, byte(len(s) - 1)}, s[1:]...)...)
				}
				if answer := cl.after(2 * time.Second); len(answer) > 16 {
					answer = answer[16:]
					got = append(got, answer)
				} else {
					got = append(got, answer)
				}
			}
			if got := strings.Join(got, " "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestRenewalsTooSoon: the answer is error 34, and the session goes on.
func TestRenewalsTooSoon(t *testing.T) {
	b := &model.Broker{Login: &model.Login{Lifetime: time.Minute, TooSoon: true,
		Mechanisms: []model.Mechanism{model.Plain(map[string]string{"a": "b"})}}}
	c := connect(t, b)
	c.send(17, 1, false, []byte("\x00\x05PLAIN")...)
	c.send(36, 0, false, []byte("\x00\x00\x00\x04\x00a\x00b")...)
	c.after(2 * time.Second)
	c.send(17, 1, false, []byte("\x00\x05PLAIN")...)
	if got := c.after(2 * time.Second); len(got) < 20 || got[16:20] != "0022" {
		t.Errorf("got %q, want error 34", got)
	}
	c.send(3, 0, false)
	if got := c.after(2 * time.Second); got == "" || strings.HasSuffix(got, "closed") {
		t.Errorf("the session: got %q, want an answer", got)
	}
}

// TestLargestRequestOfALogin: 524288 bytes (sasl.server.max.receive.size).
func TestLargestRequestOfALogin(t *testing.T) {
	for size, want := range map[int]string{524288: "", 524289: "closed"} {
		c := connect(t, &model.Broker{Login: &model.Login{}})
		c.link.Send(binary.BigEndian.AppendUint32(nil, uint32(size)))
		c.want(fmt.Sprintf("%d bytes before a login", size), want)
	}
	c := connect(t, &model.Broker{})
	c.link.Send(binary.BigEndian.AppendUint32(nil, 524289))
	c.want("without a login", "")
}
