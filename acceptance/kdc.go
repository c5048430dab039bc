package acceptance

import (
	"bytes"
	"cmp"
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

// KDC is a Kerberos KDC, MIT's or Heimdal's, on 127.0.0.1 with its databases in a temporary directory. It
// reads and writes nothing of the machine's own Kerberos. It ends as a Broker does. Its
// methods are safe for concurrent use.
type KDC struct {
	tools  map[string]string // the paths of MIT's commands
	realms []string
	dir    string
	port   int
	proc   *process
}

// kdcTimeout bounds the start of the KDC and each run of a tool; an idle machine needs a
// second in all.
const kdcTimeout = time.Minute

// StartKDC starts a KDC of Realm with the principals of a broker and its client. It returns
// when the KDC answers. If it fails, or ctx ends first, it leaves nothing behind. The end of
// ctx after that does not affect the KDC. Close it.
func StartKDC(ctx context.Context) (*KDC, error) {
	k, err := StartRealms(ctx, Realm)
	if err != nil {
		return nil, err
	}
	service := ServiceName + "/" + ServiceHost
	if err := k.Admin(ctx, Realm,
		"addprinc -randkey "+service,
		"ktadd -k "+strconv.Quote(k.brokerKeytab())+" "+service,
		"addprinc -pw "+KerberosPassword+" "+KerberosUser,
		// The keys of the password, which a keytab otherwise replaces.
		"ktadd -norandkey -k "+strconv.Quote(k.UserKeytab())+" "+KerberosUser,
	); err != nil {
		return nil, errors.Join(err, k.Close())
	}
	return k, nil
}

// StartRealms starts a KDC of empty realms, as StartKDC does. The first one is the default;
// each has the domain of its name.
func StartRealms(ctx context.Context, realms ...string) (*KDC, error) {
	tools, err := findKDC()
	if err != nil {
		return nil, fmt.Errorf("acceptance: %w", err)
	}
	return startKDC(tools, realms, "a KDC", func(k *KDC) error { return k.start(ctx) })
}

// startKDC starts a KDC again if another process takes one of its ports before it binds them.
func startKDC(tools map[string]string, realms []string, what string, start func(*KDC) error) (*KDC, error) {
	for attempt := 1; ; attempt++ {
		k := &KDC{tools: tools, realms: realms}
		err := start(k)
		if err == nil {
			return k, nil
		}
		err = errors.Join(fmt.Errorf("acceptance: %s: %w", what, err), k.Close())
		if !errors.Is(err, errPortTaken) || attempt == startAttempts {
			return nil, err
		}
	}
}

// Addr returns the address of the KDC, "127.0.0.1:port".
func (k *KDC) Addr() string { return fmt.Sprintf("127.0.0.1:%d", k.port) }

// ConfigFile returns the path of a krb5.conf for the KDC.
func (k *KDC) ConfigFile() string { return k.Path("krb5.conf") }

// UserKeytab returns the file with KerberosUser's keys.
func (k *KDC) UserKeytab() string { return k.Path("user.keytab") }

// Path returns the path of a file in the KDC's directory.
func (k *KDC) Path(name string) string { return filepath.Join(k.dir, name) }

// Login has KerberosUser log in, by kinit, and returns the credential cache, a file
// that lasts as long as the KDC.
func (k *KDC) Login(ctx context.Context) (cache string, err error) {
	cache = k.Path("user.ccache")
	return cache, k.Run(ctx, "", "kinit", "-c", "FILE:"+cache, "-k", "-t", k.UserKeytab(), KerberosUser+"@"+Realm)
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
	// Heimdal's KDC serves by children, which end a moment after it and may write a log until
	// then.
	for range 50 {
		if err := os.RemoveAll(k.dir); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return os.RemoveAll(k.dir)
}

func (k *KDC) brokerKeytab() string { return k.Path("broker.keytab") }

func (k *KDC) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, kdcTimeout)
	defer cancel()
	if err := k.configure(); err != nil {
		return err
	}
	arguments := []string{"-n"}
	for _, realm := range k.realms {
		if err := k.Run(ctx, "", "kdb5_util", "create", "-r", realm, "-s", "-P", "master-canary"); err != nil {
			return err
		}
		arguments = append(arguments, "-r", realm)
	}
	return k.serve(ctx, "commencing operation", "krb5kdc", arguments...)
}

// configure chooses the port and writes the files of MIT's KDC and of its clients.
func (k *KDC) configure() error {
	ports, err := freePorts(nil)
	if err != nil {
		return err
	}
	k.port = ports.aux
	if k.dir, err = os.MkdirTemp("", "brokerconn-kdc-"); err != nil {
		return err
	}
	clients, server, domains := "", "", ""
	for _, realm := range k.realms {
		fill := strings.NewReplacer("{dir}", k.dir, "{addr}", k.Addr(), "{realm}", realm)
		clients += fill.Replace(krb5Realm)
		server += fill.Replace(kdcRealm)
		domains += "  ." + strings.ToLower(realm) + " = " + realm + "\n"
	}
	fill := strings.NewReplacer("{dir}", k.dir, "{addr}", k.Addr(), "{realm}", k.realms[0],
		"{realms}\n", clients, "{domains}\n", domains)
	for name, text := range map[string]string{
		"krb5.conf": fill.Replace(krb5Conf), "kdc.conf": fill.Replace(kdcConf) + server, "kadm5.acl": "",
	} {
		if err := os.WriteFile(k.Path(name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// serve starts the KDC's own process. It is ready when it has written a text to its log.
func (k *KDC) serve(ctx context.Context, ready, name string, arguments ...string) error {
	log, err := os.OpenFile(k.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := k.Command(name, arguments...)
	cmd.Stdout, cmd.Stderr = log, log
	if k.proc, err = startProcess(cmd); err != nil {
		return err
	}
	err = poll(ctx, k.proc, func() bool {
		return strings.Contains(k.log(), ready) && accepts(k.Addr())
	})
	switch {
	case errors.Is(err, errEnded) && strings.Contains(k.log(), "Address already in use"):
		return errPortTaken
	case err != nil:
		return fmt.Errorf("%w\n%s", err, tail(k.log()))
	}
	return nil
}

// Admin runs commands of kadmin in a realm.
func (k *KDC) Admin(ctx context.Context, realm string, commands ...string) error {
	return k.Run(ctx, strings.Join(commands, "\n")+"\n", "kadmin.local", "-r", realm)
}

// Run runs a command to its end. kadmin.local ends well, whatever it prints: its messages
// of failures are errors.
func (k *KDC) Run(ctx context.Context, input, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, kdcTimeout)
	defer cancel()
	var out bytes.Buffer
	cmd := k.Command(name, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(input), &out, &out
	err := run(ctx, cmd)
	if err == nil && (strings.Contains(out.String(), " while ") || strings.Contains(out.String(), "sage:")) {
		err = errors.New("it failed")
	}
	if err != nil {
		return fmt.Errorf("acceptance: %s %q: %w\n%s", name, args, err, tail(out.String()))
	}
	return nil
}

// Command returns a command that sees the configuration and the files of this KDC alone.
func (k *KDC) Command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(cmp.Or(k.tools[name], name), args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C",
		"KRB5_CONFIG="+k.ConfigFile(), "KRB5_KDC_PROFILE="+k.Path("kdc.conf"), "KRB5_KTNAME="+k.Path("service.keytab"),
		"KRB5CCNAME=FILE:"+k.Path("ccache"), "KRB5RCACHENAME=file2:"+k.Path("rcache"))
	if libraries := k.tools["libraries"]; libraries != "" {
		cmd.Env = append(cmd.Env, "LD_LIBRARY_PATH="+libraries)
	}
	return cmd
}

func (k *KDC) logFile() string { return k.Path("kdc.log") }

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
{realms}
[domain_realm]
  localhost = {realm}
{domains}
`

const krb5Realm = `  {realm} = {
    kdc = {addr}
  }
`

const kdcConf = `[kdcdefaults]
  kdc_listen = {addr}
  kdc_tcp_listen = {addr}
[logging]
  default = FILE:{dir}/kdc.log
  kdc = FILE:{dir}/kdc.log
  admin_server = FILE:{dir}/kdc.log
`

const kdcRealm = `[realms]
  {realm} = {
    database_name = {dir}/{realm}.principal
    key_stash_file = {dir}/{realm}.stash
    acl_file = {dir}/kadm5.acl
    max_life = 10h
    max_renewable_life = 7d
    supported_enctypes = aes256-cts:normal aes128-cts:normal aes256-sha2:normal aes128-sha2:normal
  }
`
