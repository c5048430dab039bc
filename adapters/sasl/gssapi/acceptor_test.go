package gssapi

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"brokerconn/acceptance/saslpeer"
)

// acceptor is a program that accepts one login at a time; see testdata.
type acceptor struct {
	stdin  io.WriteCloser
	stdout *bufio.Reader
	client string // the client of the last login
}

// startMIT runs MIT's libgssapi.
func (k *realmKDC) startMIT(t *testing.T) *acceptor {
	t.Helper()
	const untested = "MIT's libgssapi did not accept a login."
	installed(t, "gcc", untested, "gcc")
	binary := filepath.Join(t.TempDir(), "acceptor")
	if out, err := exec.Command("gcc", "-o", binary, "testdata/acceptor.c",
		"-lgssapi_krb5").CombinedOutput(); err != nil {
		skipWithout(t, "libkrb5-dev", untested, fmt.Errorf("gcc: %w; are there the headers of libkrb5-dev?\n%s", err,
			out))
	}
	return k.start(t, binary)
}

// startJava runs Java's SaslServer.
func (k *realmKDC) startJava(t *testing.T) *acceptor {
	t.Helper()
	installed(t, "a JDK", "Java's SaslServer did not accept a login.", "java", "javac")
	return k.start(t, "java", "-Djava.security.krb5.conf="+k.ConfigFile(), "-Djava.io.tmpdir="+k.Path(""),
		"-XX:TieredStopAtLevel=1", "testdata/Acceptor.java", k.Path("service.keytab"))
}

func (k *realmKDC) start(t *testing.T, name string, args ...string) *acceptor {
	t.Helper()
	path := saslpeer.Must(findTool(name))
	cmd := k.Command(path, args...)
	stdin := saslpeer.Must(cmd.StdinPipe())
	stdout := saslpeer.Must(cmd.StdoutPipe())
	var errs strings.Builder
	cmd.Stderr = &errs
	saslpeer.Succeed(t, cmd.Start())
	t.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s: %s", name, errs.String())
		}
	})
	return &acceptor{stdin: stdin, stdout: bufio.NewReaderSize(stdout, 1<<18)}
}

// login returns the broker's side of a login. layers are in the acceptor's notation.
func (a *acceptor) login(layers string) func(token []byte) ([]byte, error) {
	first := true
	return func(token []byte) ([]byte, error) {
		if first {
			first = false
			fmt.Fprintln(a.stdin, "new", layers)
		}
		fmt.Fprintf(a.stdin, "%x\n", token)
		line, err := a.stdout.ReadString('\n')
		if err != nil {
			return nil, err
		}
		line = strings.TrimRight(line, "\r\n")
		switch what, rest, _ := strings.Cut(line, " "); what {
		case "=":
			a.client = rest
			return []byte{}, nil
		case "!":
			return nil, fmt.Errorf("the acceptor refuses: %s", rest)
		}
		return hex.DecodeString(line)
	}
}
