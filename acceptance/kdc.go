package acceptance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// The principals of the KDC. The broker's contains the name of a host, so that a client
// which dials 127.0.0.1 has to be configured with it (sasl.kerberos.domain.name).
const (
	Realm            = "BROKERCONN.TEST"
	ServiceName      = "kafka"
	ServiceHost      = "localhost"
	KerberosUser     = "carol" // carol@BROKERCONN.TEST
	KerberosPassword = "carol-canary"
)

// KDC is an MIT Kerberos KDC on 127.0.0.1 with a database in a temporary directory. It
// reads and writes nothing of the machine's own Kerberos. It ends as a Broker does. Its
// methods are safe for concurrent use.
type KDC struct {
	tools kdcTools
	dir   string
	port  int
	proc  *process
}

// kdcTools are the commands of MIT Kerberos.
type kdcTools struct{ kdc, database, admin, login string }

// kdcTimeout bounds the start of the KDC and each run of a tool; an idle machine needs a
// second in all.
const kdcTimeout = time.Minute

// StartKDC returns when the KDC answers. If it fails, or ctx ends first, it leaves nothing
// behind. The end of ctx after that does not affect the KDC. Close it.
func StartKDC(ctx context.Context) (*KDC, error) {
	tools, err := findKDC()
	if err != nil {
		return nil, fmt.Errorf("acceptance: %w", err)
	}
	for attempt := 1; ; attempt++ {
		k := &KDC{tools: tools}
		err := k.start(ctx)
		if err == nil {
			return k, nil
		}
		err = errors.Join(fmt.Errorf("acceptance: a KDC: %w", err), k.Close())
		if !errors.Is(err, errPortTaken) || attempt == startAttempts {
			return nil, err
		}
	}
}

// Addr returns the address of the KDC, "127.0.0.1:port".
func (k *KDC) Addr() string { return fmt.Sprintf("127.0.0.1:%d", k.port) }

// ConfigFile returns the path of a krb5.conf for the KDC.
func (k *KDC) ConfigFile() string { return filepath.Join(k.dir, "krb5.conf") }

// UserKeytab returns the file with KerberosUser's keys.
func (k *KDC) UserKeytab() string { return filepath.Join(k.dir, "user.keytab") }

// Login has KerberosUser log in, by kinit, and returns the credential cache, a file
// that lasts as long as the KDC.
func (k *KDC) Login(ctx context.Context) (cache string, err error) {
	cache = filepath.Join(k.dir, "user.ccache")
	err = k.tool(ctx, "", k.tools.login, "-c", "FILE:"+cache, "-k", "-t", k.UserKeytab(), KerberosUser+"@"+Realm)
	return cache, err
}

// Close ends the KDC, and removes its directory. It is final. Further calls do
// nothing.
func (k *KDC) Close() error {
	if k.proc != nil {
		k.proc.kill()
	}
	if k.dir == "" {
		return nil
	}
	return os.RemoveAll(k.dir)
}

func (k *KDC) brokerKeytab() string { return filepath.Join(k.dir, "broker.keytab") }

func (k *KDC) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, kdcTimeout)
	defer cancel()
	ports, err := freePorts(nil)
	if err != nil {
		return err
	}
	k.port = ports.aux
	if k.dir, err = os.MkdirTemp("", "brokerconn-kdc-"); err != nil {
		return err
	}
	fill := strings.NewReplacer("{dir}", k.dir, "{addr}", k.Addr(), "{realm}", Realm)
	for name, text := range map[string]string{"krb5.conf": krb5Conf, "kdc.conf": kdcConf, "kadm5.acl": ""} {
		if err := os.WriteFile(filepath.Join(k.dir, name), []byte(fill.Replace(text)), 0o600); err != nil {
			return err
		}
	}
	if err := k.tool(ctx, "", k.tools.database, "create", "-r", Realm, "-s", "-P", "master-canary"); err != nil {
		return err
	}
	service := ServiceName + "/" + ServiceHost
	if err := k.tool(ctx, strings.Join([]string{
		"addprinc -randkey " + service,
		"ktadd -k " + strconv.Quote(k.brokerKeytab()) + " " + service,
		"addprinc -pw " + KerberosPassword + " " + KerberosUser,
		// The keys of the password, which a keytab otherwise replaces.
		"ktadd -norandkey -k " + strconv.Quote(k.UserKeytab()) + " " + KerberosUser,
	}, "\n")+"\n", k.tools.admin, "-r", Realm); err != nil {
		return err
	}
	for _, made := range []string{k.brokerKeytab(), k.UserKeytab()} {
		if _, err := os.Stat(made); err != nil { // kadmin.local ends well, whatever it says
			return fmt.Errorf("%w\n%s", err, k.log())
		}
	}
	cmd, log, err := k.command(k.tools.kdc, "-n", "-r", Realm)
	if err != nil {
		return err
	}
	defer log.Close()
	if k.proc, err = startProcess(cmd); err != nil {
		return err
	}
	err = poll(ctx, k.proc, func() bool {
		return strings.Contains(k.log(), "commencing operation") && accepts(k.Addr())
	})
	switch {
	case errors.Is(err, errEnded) && strings.Contains(k.log(), "Address already in use"):
		return errPortTaken
	case err != nil:
		return fmt.Errorf("%w\n%s", err, tail(k.log()))
	}
	return nil
}

// tool runs one of the commands to its end.
func (k *KDC) tool(ctx context.Context, input, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, kdcTimeout)
	defer cancel()
	cmd, log, err := k.command(name, args...)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdin = strings.NewReader(input)
	if err := run(ctx, cmd); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, tail(k.log()))
	}
	return nil
}

// command is one that sees this KDC's configuration alone, and writes to its log.
func (k *KDC) command(name string, args ...string) (*exec.Cmd, *os.File, error) {
	log, err := os.OpenFile(k.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = k.dir
	cmd.Env = append(os.Environ(), "KRB5_CONFIG="+k.ConfigFile(), "KRB5_KDC_PROFILE="+filepath.Join(k.dir, "kdc.conf"))
	cmd.Stdout, cmd.Stderr = log, log
	return cmd, log, nil
}

func (k *KDC) logFile() string { return filepath.Join(k.dir, "kdc.log") }

func (k *KDC) log() string {
	text, err := os.ReadFile(k.logFile())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// krb5Conf is for clients and brokers: no name is looked up, and all goes over TCP,
// where an answer is not lost.
const krb5Conf = `[libdefaults]
  default_realm = {realm}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
  ticket_lifetime = 1h
  renew_lifetime = 1d
[realms]
  {realm} = {
    kdc = {addr}
  }
[domain_realm]
  localhost = {realm}
`

const kdcConf = `[kdcdefaults]
  kdc_listen = {addr}
  kdc_tcp_listen = {addr}
[realms]
  {realm} = {
    database_name = {dir}/principal
    key_stash_file = {dir}/stash
    acl_file = {dir}/kadm5.acl
    max_life = 10h
    max_renewable_life = 7d
    supported_enctypes = aes256-cts-hmac-sha1-96:normal aes128-cts-hmac-sha1-96:normal
  }
[logging]
  default = FILE:{dir}/kdc.log
  kdc = FILE:{dir}/kdc.log
  admin_server = FILE:{dir}/kdc.log
`
