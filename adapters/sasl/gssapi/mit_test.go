package gssapi

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"brokerconn/acceptance"
	"brokerconn/acceptance/need"
	"brokerconn/acceptance/saslpeer"
)

// A real KDC, MIT's, and two real acceptors: MIT's libgssapi, and Java's SaslServer,
// which Kafka brokers use. Tests that need them are skipped if they are missing, and
// fail with KDC=required in the environment. On Debian they are krb5-kdc
// krb5-admin-server krb5-user libkrb5-dev gcc and a JDK.

// findTool looks in the PATH and in JAVA_HOME.
func findTool(name string) (path string, err error) {
	if path, err = exec.LookPath(name); err == nil {
		return path, nil
	}
	if path, err := exec.LookPath(filepath.Join(os.Getenv("JAVA_HOME"), "bin", name)); err == nil {
		return path, nil
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

// realmKDC is a KDC of two realms that trust each other.
type realmKDC struct {
	*acceptance.KDC
	config string // the text of a krb5.conf for clients
}

// theKDC has all principals and serves all tests; TestMain closes it.
var theKDC realmKDC

var startTheKDC = sync.OnceValue(func() (err error) {
	if theKDC.KDC, err = acceptance.StartRealms(context.Background(), realmA, realmB); err != nil {
		return err
	}
	text, err := os.ReadFile(theKDC.ConfigFile())
	theKDC.config = string(text)
	return errors.Join(err, theKDC.populate())
})

func startKDC(t *testing.T) *realmKDC {
	t.Helper()
	skipWithout(t, "a KDC", "Nothing was tried against a real KDC.", acceptance.KDCRequirements())
	saslpeer.Succeed(t, startTheKDC())
	return &theKDC
}

// quoted is a path as one word for kadmin.
func (k *realmKDC) quoted(name string) string { return strconv.Quote(k.Path(name)) }

func (k *realmKDC) run(t *testing.T, stdin, name string, args ...string) {
	t.Helper()
	saslpeer.Succeed(t, k.Run(t.Context(), stdin, name, args...))
}

func (k *realmKDC) admin(t *testing.T, commands ...string) {
	t.Helper()
	saslpeer.Succeed(t, k.Admin(t.Context(), realmA, commands...))
}

// options are those of a client of the KDC. They count its connections in asked.
func (k *realmKDC) options(asked *atomic.Int32) Options {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if asked != nil {
			asked.Add(1)
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	return Options{Config: k.config, Dial: dial}
}
