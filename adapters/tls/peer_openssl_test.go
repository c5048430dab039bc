package tls

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"brokerconn/acceptance/openssl"
	"brokerconn/adapters/tcp"
	"brokerconn/application/broker"
)

// A server of another author says no in words of its own: to a client without a
// certificate, with TLS 1.2, handshake_failure.

// opensslServer runs "openssl s_server" with a certificate of ca's until the test ends.
func opensslServer(t *testing.T, o *openssl.Oracle, ca *testCA, args ...string) (address string) {
	t.Helper()
	dir := t.TempDir()
	cert := ca.issue()
	for name, text := range map[string]string{"ca.pem": ca.pem(), "cert.pem": chainPEM(cert),
		"key.pem": keyPEM(cert)} {
		mustWrite(t, filepath.Join(dir, name), text)
	}
	cmd := exec.Command(o.Path, slices.Concat([]string{"s_server", "-accept", "127.0.0.1:0", "-cert", "cert.pem",
		"-key", "key.pem", "-CAfile", "ca.pem", "-attime", strconv.FormatInt(now.Unix(), 10)}, args)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "OPENSSL_CONF="+os.DevNull)
	stdin, stdout := must(cmd.StdinPipe()), must(cmd.StdoutPipe()) // at the end of stdin the server would end
	mustDo(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it has no other end
		_, _ = io.Copy(io.Discard, stdout)
		_ = cmd.Wait()
		_ = stdin.Close()
	})
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "ACCEPT "); ok {
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			return address
		}
	}
	t.Fatal("openssl s_server does not listen")
	return ""
}

func TestServerOfOpenSSL(t *testing.T) {
	o := openssl.New(t, "What a handshake fails of was seen with servers of crypto/tls alone.")
	ca, stranger := newCA("the authority"), newCA("a stranger")
	mine, theirs := ca.issue(), stranger.issue()
	with := func(cert tls.Certificate) func(*Options) { return func(o *Options) { *o = o.showing(cert) } }
	demands := []string{"-Verify", "1", "-verify_return_error"}
	for _, c := range []struct {
		name   string
		args   []string
		change func(*Options)
		want   Reason
		says   string
	}{
		{"none shown, TLS 1.2", append(demands, "-tls1_2"), nil, CertificateRequired, "handshake failure"},
		{"none shown, TLS 1.3", append(demands, "-tls1_3"), nil, CertificateRequired, "certificate required"},
		{"a stranger's shown, TLS 1.2", append(demands, "-tls1_2"), with(theirs), CertificateRefused, "truststore"},
		{"a stranger's shown, TLS 1.3", append(demands, "-tls1_3"), with(theirs), CertificateRefused, "truststore"},
		{"TLS 1.1", []string{"-tls1_1", "-cipher", "ALL@SECLEVEL=0"}, nil, VersionTooLow,
			"TLS 1.2 to TLS 1.3 are allowed here"},
		{"TLS 1.3 alone", []string{"-tls1_3"}, func(o *Options) { o.MaxVersion = tls.VersionTLS12 }, VersionTooLow,
			"allow it by Options.MaxVersion"},
		{"TLS 1.2 alone", []string{"-tls1_2"}, func(o *Options) { o.MinVersion = tls.VersionTLS13 }, VersionTooLow,
			"allow TLS 1.2 by Options.MinVersion"},
		{"other ciphers", []string{"-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"},
			func(o *Options) { o.Ciphers = "AES128" }, NoCommonCipher, "ssl.cipher.suites"},
		{"another authority", nil, func(o *Options) { o.CAPEM = stranger.pem() }, UnknownAuthority, "CN=the authority"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			address := opensslServer(t, o, ca, c.args...)
			options := ca.options()
			if c.change != nil {
				c.change(&options)
			}
			for _, ask := range askers {
				_, err := ask(t, configFor(t, address, options))
				wantReason(t, err, c.want, c.says)
				if !errors.Is(err, broker.ErrTLS) {
					t.Error(err)
				}
			}
		})
	}
	for _, version := range []string{"-tls1_2", "-tls1_3"} {
		t.Run("accepted, "+version, func(t *testing.T) {
			t.Parallel()
			address := opensslServer(t, o, ca, append(demands, version, "-rev")...) // answers each line backwards
			dial := mustDial(t, plainDial, ca.options().showing(mine))
			for turn := range 3 {
				conn := dialed(t, dial, address)
				if err := conn.Handshake(); err != nil || turn == 0 && !conn.ClientCertRequested() {
					t.Fatalf("%v, asked: %v", err, conn.ClientCertRequested())
				}
				answer := make([]byte, 4)
				_, _ = io.WriteString(conn, "abc\n")
				if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "cba\n" {
					t.Errorf("%q %v", answer, err)
				}
				if resumed := conn.ConnectionState().DidResume; resumed != (turn > 0) {
					t.Errorf("%d: resumed: %v", turn, resumed)
				}
				_ = conn.Close()
			}
		})
	}
	t.Run("in clear", func(t *testing.T) {
		t.Parallel()
		address := opensslServer(t, o, ca)
		for _, ask := range askers {
			cfg := configFor(t, address, Options{CAPEM: ca.pem()})
			cfg.Transport = tcp.New(tcp.Options{})
			_, err := ask(t, cfg)
			if e := new(broker.Error); !errors.Is(err, broker.ErrConnection) || !errors.As(err, &e) ||
				!strings.Contains(e.Hint, "a port for TLS") {
				t.Errorf("%v", err) // it hangs up without a word
			}
		}
	})
}
