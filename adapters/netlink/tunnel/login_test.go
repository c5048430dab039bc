package tunnel_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"brokerconn/acceptance/proxies"
	"brokerconn/adapters/netlink/tunnel"
)

func TestLoginIsNotPrinted(t *testing.T) {
	login := tunnel.NewLogin("alice", "opensesame")
	type hidden struct{ login tunnel.Login }
	var out bytes.Buffer
	for _, v := range []any{login, &login, hidden{login}, &hidden{login}, []tunnel.Login{login},
		struct{ L tunnel.Login }{login}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%p", "%w"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		text := proxies.Must(json.Marshal(v))(t)
		out.Write(text)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
	}
	for _, secret := range []string{"alice", "opensesame", fmt.Sprintf("%x", "opensesame")} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is in\n%s", secret, out.String())
		}
	}
	if !strings.Contains(out.String(), "[redacted]") {
		t.Error("nothing is redacted")
	}
}

func TestLogin(t *testing.T) {
	for _, c := range []struct {
		username, password string
		ok                 bool
	}{{"a", "b", true}, {"a", "", true}, {"", "b", true}, {"", "", false}} {
		login := tunnel.NewLogin(c.username, c.password)
		username, password, ok := login.Reveal()
		if username != c.username || password != c.password || ok != c.ok || login.IsZero() == ok {
			t.Errorf("NewLogin(%q, %q) reveals %q, %q, %v", c.username, c.password, username, password, ok)
		}
	}
	if got := fmt.Sprint(tunnel.Login{}); got != "no login" {
		t.Errorf("the zero Login prints as %q", got)
	}
}
