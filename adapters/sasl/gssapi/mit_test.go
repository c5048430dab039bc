package gssapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brokerconn/acceptance/need"
)

// A real KDC, MIT's, and two real acceptors: MIT's libgssapi, and Java's SaslServer,
// which Kafka brokers use. Tests that need them are skipped if they are missing, and
// fail with KDC=required in the environment. On Debian they are krb5-kdc
// krb5-admin-server krb5-user libkrb5-dev gcc and a JDK.

var kdcTools = []string{"krb5kdc", "kdb5_util", "kadmin.local", "kinit", "kdestroy"}

// findTool looks in the PATH, in Debian's folder for administrators, and in JAVA_HOME.
func findTool(name string) (path string, err error) {
	if path, err = exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", filepath.Join(os.Getenv("JAVA_HOME"), "bin")} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", err
}

// installed skips the test if one of the programs is missing. name is what they are
// called together; untested is a sentence about what a skip leaves untested.
func installed(t *testing.T, name, untested string, programs ...string) {
	t.Helper()
	var missing []error
	for _, program := range programs {
		if _, err := findTool(program); err != nil {
			missing = append(missing, err)
		}
	}
	skipWithout(t, name, untested, errors.Join(missing...))
}

func skipWithout(t *testing.T, name, untested string, missing error) {
	t.Helper()
	need.Extra{Name: name, Variable: "KDC", Untested: untested}.Test(t, missing)
}

const (
	realmA = "TEST.LOCAL"
	realmB = "OTHER.LOCAL"
)

// realmKDC is a KDC of two realms that trust each other, on loopback, with its own
// directory.
type realmKDC struct {
	dir, address string
	config       string // the text of a krb5.conf for clients
	process      *os.Process
}

// theKDC serves all tests; TestMain stops it.
var theKDC *realmKDC

// startKDC starts the KDC with all principals.
func startKDC(t *testing.T) *realmKDC {
	t.Helper()
	installed(t, "a KDC", "Nothing was tried against a real KDC.", kdcTools...)
	for range 5 {
		if theKDC != nil {
			return theKDC
		}
		tryKDC(t)
	}
	t.Fatal("got no KDC after five attempts")
	return nil
}

func stopKDC() {
	if theKDC != nil {
		theKDC.process.Kill()
		theKDC.process.Wait()
		os.RemoveAll(theKDC.dir)
	}
}

func tryKDC(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "kdc")
	if err != nil {
		t.Fatal(err)
	}
	k := &realmKDC{dir: dir, address: l.Addr().String()}
	defer func() {
		if theKDC == nil {
			os.RemoveAll(dir)
		}
	}()
	l.Close()
	k.config = fmt.Sprintf(`[libdefaults]
 default_realm = %[1]s
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 ticket_lifetime = 1h
 permitted_enctypes = aes256-cts aes128-cts aes256-sha2 aes128-sha2
[realms]
 %[1]s = {
  kdc = %[3]s
 }
 %[2]s = {
  kdc = %[3]s
 }
[domain_realm]
 .other.test = %[2]s
 localhost = %[1]s
`, realmA, realmB, k.address)
	server := `[kdcdefaults]
 kdc_listen = ` + k.address + `
 kdc_tcp_listen = ` + k.address + `
`
	for _, realm := range []string{realmA, realmB} {
		server += fmt.Sprintf(`[realms]
 %[1]s = {
  database_name = %[2]s/%[1]s
  key_stash_file = %[2]s/%[1]s.stash
  acl_file = %[2]s/acl
  max_life = 10h
  max_renewable_life = 7d
  supported_enctypes = aes256-cts:normal aes128-cts:normal aes256-sha2:normal aes128-sha2:normal
 }
`, realm, k.dir)
	}
	server += "[logging]\n kdc = FILE:" + k.path("kdc.log") + "\n"
	// The KDC itself may use all encryption types.
	own := strings.Replace(k.config, " permitted_enctypes", " #", 1)
	k.write(t, "krb5.conf", own)
	k.write(t, "kdc.conf", server)
	k.write(t, "acl", "")
	for _, realm := range []string{realmA, realmB} {
		k.run(t, "", "kdb5_util", "create", "-r", realm, "-s", "-P", "master")
	}
	out, err := os.Create(k.path("kdc.out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := k.command(t, "krb5kdc", "-n", "-r", realmA, "-r", realmB, "-P", k.path("pid"))
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	k.process = cmd.Process
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if conn, err := net.Dial("tcp", k.address); err == nil {
			conn.Close()
			theKDC = k
			k.populate(t)
			return
		}
		if said, _ := os.ReadFile(k.path("kdc.out")); bytes.Contains(said, []byte("in use")) {
			break
		}
	}
	k.process.Kill()
	k.process.Wait()
}

func (k *realmKDC) path(name string) string { return filepath.Join(k.dir, name) }

// quoted is a path as one word for kadmin.
func (k *realmKDC) quoted(name string) string { return strconv.Quote(k.path(name)) }

func (k *realmKDC) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(k.path(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (k *realmKDC) command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := findTool(name)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(),
		"KRB5_CONFIG="+k.path("krb5.conf"), "KRB5_KDC_PROFILE="+k.path("kdc.conf"),
		"KRB5_KTNAME="+k.path("service.keytab"), "KRB5CCNAME=FILE:"+k.path("ccache"),
		"KRB5RCACHENAME=file2:"+k.path("rcache"), "LC_ALL=C")
	return cmd
}

func (k *realmKDC) run(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	cmd := k.command(t, name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// admin runs commands of kadmin in a realm.
func (k *realmKDC) admin(t *testing.T, realm string, commands ...string) {
	t.Helper()
	out := k.run(t, strings.Join(commands, "\n")+"\n", "kadmin.local", "-r", realm)
	if strings.Contains(out, " while ") || strings.Contains(out, "sage:") {
		t.Fatal(out)
	}
}

// options are those of a client of the KDC. They count its connections in asked.
func (k *realmKDC) options(asked *atomic.Int32) Options {
	return Options{Config: k.config, Run: inline, Dial: func(ctx context.Context, network, address string) (net.Conn,
		error) {
		if asked != nil {
			asked.Add(1)
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}}
}
