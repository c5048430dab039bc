package properties

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"brokerconn/application/broker"
	"brokerconn/ports"
)

// FuzzProxyURL compares the URL of a proxy with net/url, which has to read what is shown of it as the same proxy; no
// error and no line shows the login.
func FuzzProxyURL(f *testing.F) {
	for _, u := range []string{"socks5://proxy:1080", "socks5h://alice:canary-4711@[::1]:1080",
		"http://a%40b:canary%3a4711@p:3128/", "https://p:1", "socks5://p", "ftp://p:1", "//p:1",
		"http://canary-4711@p:1?q",
		"socks5://p:99999", "http://p:1\x00", "%"} {
		f.Add(u)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := Property{Key: "socks5_proxy", Value: ports.NewSecret(text)}
		got, err := proxy(&p)
		u, theirs := url.Parse(strings.TrimSpace(text))
		if err == nil && theirs != nil {
			t.Fatalf("%q: got a proxy, and net/url: %v", text, theirs)
		}
		if theirs != nil {
			return
		}
		name, password := u.User.Username(), ""
		if u.User != nil {
			password, _ = u.User.Password()
		}
		around := strings.Replace(text, u.User.String(), "", 1) // what an error may show
		if err != nil {
			for _, secret := range []string{password, name} {
				if len(secret) > 3 && strings.Contains(err.Error(), secret) &&
					!strings.Contains(proxyForm+around, secret) {
					t.Fatalf("%q: got %v, want no login in it", text, err)
				}
			}
			return
		}
		kind := map[string]ProxyKind{"socks5": SOCKS5, "socks5h": SOCKS5, "http": HTTPConnect}[u.Scheme]
		if got.Kind != kind || got.Address != u.Host || got.Username != name || got.Password.Reveal() != password ||
			got.ResolveHere != (u.Scheme == "socks5") {
			t.Fatalf("%q: got %+v, want the parts that net/url reads", text, got)
		}
		if _, _, err := net.SplitHostPort(got.Address); err != nil {
			t.Fatalf("%q: got the address %q: %v", text, got.Address, err)
		}
		shown, err := url.Parse(got.text())
		if err != nil || shown.Host != u.Host || shown.Scheme != u.Scheme {
			t.Fatalf("%q: it is shown as %q: %v", text, got.text(), err)
		}
		if hidden, set := shown.User.Password(); set && hidden != "[redacted]" || !set && name != "" &&
			shown.User.Username() != "[redacted]" {
			t.Fatalf("%q: it is shown as %q, want no secret", text, got.text())
		}
	})
}

// FuzzRelease compares the releases that a key takes with the ways in which they are written.
func FuzzRelease(f *testing.F) {
	for _, text := range []string{"2.8", "0.10.2.2", "(0, 10)", "auto", "0.7", "0.0", "1.2.3.4.5", "(2,8,1)",
		"2.8-IV1", "99999.0", "-1.0", "1.0\n", "(1)", "()", "(0,,10)"} {
		f.Add(text)
	}
	dotted := regexp.MustCompile(`^[0-9]{1,4}\.[0-9]{1,4}(\.[0-9]{1,4}){0,2}$`)
	tuple := regexp.MustCompile(`^\(([^()]*)\)$`)
	f.Fuzz(func(t *testing.T, text string) {
		p := Property{Key: "api_version", Value: ports.NewSecret(text)}
		got, err := release(&p)
		text = strings.TrimSpace(text)
		if text == "auto" {
			if err != nil || got != (broker.Release{}) {
				t.Fatalf("got %v, %v, want the zero release", got, err)
			}
			return
		}
		if m := tuple.FindStringSubmatch(text); m != nil {
			var items []string
			for item := range strings.SplitSeq(m[1], ",") {
				if item = strings.TrimSpace(item); item != "" {
					items = append(items, item)
				}
			}
			text = strings.Join(items, ".")
		}
		if !dotted.MatchString(text) {
			if err == nil {
				t.Fatalf("%q: got %v, want an error", text, got)
			}
			return
		}
		var want broker.Release
		if _, scanned := fmt.Sscanf(strings.Join(append(strings.Split(text, "."), "0", "0")[:3], " "), "%d %d %d",
			&want.Major, &want.Minor, &want.Patch); scanned != nil {
			t.Fatal(scanned)
		}
		known := want.Compare(broker.Release{Minor: 8}) >= 0
		if known != (err == nil) || known && got != want {
			t.Fatalf("%q: got %v, %v, want %v, known %v", text, got, err, want, known)
		}
	})
}

// FuzzWritten writes any text as a value in a file, and reads the file again, in each dialect.
func FuzzWritten(f *testing.F) {
	for _, text := range []string{"plain", `C:\keys\new`, "caf\u00e9 \U0001f600", "tab\tnew\nline", `"quoted"`, "a\\",
		"# ! = : ;", "\u2028\u0085", "a\\\\", "${env:X}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.TrimSpace(text)
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r == 0 || r == '\ufeff' }) {
			return
		}
		for d := firstDialect; d <= lastDialect; d++ {
			if grammars[d].raw && (strings.ContainsFunc(text, unicode.IsControl) || strings.HasSuffix(text, `\`)) {
				continue // its files cannot have it
			}
			line := escaped(d, text)
			if strings.ContainsAny(line, "\r\n") {
				t.Fatalf("%v: %q is written as %q, want one line", d, text, line)
			}
			all, err := Parse("f", []byte("client.id="+line+"\n"))
			if err != nil || len(all) != 1 {
				t.Fatalf("%v: %q is written as %q: %v, %d lines", d, text, line, err, len(all))
			}
			got := all[0].Value.Reveal()
			if grammars[d].raw && !all[0].plain.IsZero() {
				got = all[0].plain.Reveal()
			}
			if strings.TrimSpace(got) != text || all[0].flaw != "" && !grammars[d].raw {
				t.Fatalf("%v: %q is written as %q and read as %q (%s)", d, text, line, got, all[0].flaw)
			}
		}
	})
}

// FuzzLines reads a file of one dialect, and writes it in the words of each: what can be read again has the same
// settings in its own dialect, and no line shows the password.
func FuzzLines(f *testing.F) {
	for _, base := range []string{
		"security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nbootstrap.servers=a:1,b:2\nclient.id=x\n",
		"bootstrap_servers=a:1\nrequest_timeout_ms=5000\nreceive_buffer_bytes=32768\napi_version=(0, 10)\n",
		"metadata.broker.list=a\nsocket.keepalive.enable=true\nconnections.max.idle.ms=0\nbroker.address.family=v4\n",
		"bootstrap.servers=SSL://a:1\nssl.protocol=TLSv1.3\nssl.endpoint.identification.algorithm=\n",
		"security.protocol=sasl_plaintext\nsasl.mechanisms=SCRAM-SHA-256\nsasl.username=caf\\u00e9\n",
	} {
		f.Add(base, uint8(0))
		f.Add(base, uint8(2))
	}
	f.Fuzz(func(t *testing.T, text string, dialect uint8) {
		for _, word := range []string{"location", "file", "config.providers"} {
			if strings.Contains(text, word) || len(text) > 4096 {
				return // names of files of this machine
			}
		}
		own := firstDialect + Dialect(dialect)%(lastDialect-firstDialect+1)
		all, err := Parse("f", []byte(text+"\nsasl_plain_password=canary-4711\nsasl.password=canary-4711\n"))
		if err != nil {
			return
		}
		all = slices.DeleteFunc(all, func(p Property) bool {
			return p.Key == "sasl.password" && own != Librdkafka || p.Key == "sasl_plain_password" && own != KafkaPython
		})
		s, err := Read(own, all)
		if err != nil {
			return
		}
		for d := firstDialect; d <= lastDialect; d++ {
			var written strings.Builder
			for _, line := range s.Lines(d) {
				if strings.Contains(line.Key+line.Value+line.Why, "canary") && !strings.Contains(text, "canary") {
					t.Fatalf("%v: got %+v, want no password in it", d, line)
				}
				if line.Key != "" {
					fmt.Fprintf(&written, "%s=%s\n", line.Key, line.Value)
				}
			}
			pairs, err := Parse("g", []byte(written.String()))
			if err != nil {
				t.Fatalf("%v: %v in\n%s", d, err, written.String())
			}
			again, err := Read(d, pairs)
			if err != nil || d != own {
				continue // a setting that this client lacks may be needed by others
			}
			if got, want := withoutSecrets(again), withoutSecrets(s); !slices.Equal(got, want) {
				t.Fatalf("%v: got %q\nwant %q\nof\n%s\nas\n%s", d, got, want, text, written.String())
			}
		}
	})
}
