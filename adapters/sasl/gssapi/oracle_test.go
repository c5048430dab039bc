package gssapi

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/adapters/clock/fake"
	"brokerconn/ports"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
)

// etypeNames are MIT's names of the encryption types.
var etypeNames = map[int32]string{17: "aes128-cts", 18: "aes256-cts", 19: "aes128-sha2", 20: "aes256-sha2"}

// populate creates clients and services, some of one encryption type alone.
func (k *realmKDC) populate(t *testing.T) {
	t.Helper()
	service, client := k.quoted("service.keytab"), k.quoted("client.keytab")
	commands := []string{
		"addprinc -randkey kafka/localhost", "ktadd -k " + service + " kafka/localhost",
		"addprinc +requires_preauth -pw alice-canary alice", "addprinc -requires_preauth -pw bob-canary bob",
		"addprinc -pw x locked", "modprinc -allow_tix locked",
		"addprinc -pw x -pwexpire yesterday stale", "addprinc -pw x -expire yesterday gone",
		"addprinc -randkey rekeyed", "ktadd -k " + k.quoted("old.keytab") + " rekeyed", "cpw -randkey rekeyed",
		"addprinc -e arcfour-hmac:normal -randkey kafka/rc4.test",
		"setstr kafka/rc4.test session_enctypes arcfour-hmac",
		"addprinc -randkey kafka/nokey.test",
		"addprinc -pw shared krbtgt/" + realmB + "@" + realmA,
	}
	for etype, name := range etypeNames {
		commands = append(commands,
			fmt.Sprintf("addprinc -e %s:normal -randkey kafka/t%d.test", name, etype),
			fmt.Sprintf("ktadd -norandkey -k %s kafka/t%d.test", service, etype),
			fmt.Sprintf("addprinc +requires_preauth -e %s:normal -pw typed-canary client%d", name, etype),
			fmt.Sprintf("ktadd -norandkey -k %s client%d", client, etype))
	}
	k.admin(t, realmA, commands...)
	k.admin(t, realmB,
		"addprinc -pw shared krbtgt/"+realmB+"@"+realmA,
		"addprinc -randkey kafka/broker.other.test", "ktadd -k "+service+" kafka/broker.other.test")
}

// Logins with tickets of MIT's KDC, to MIT's libgssapi and to Java, both of which verify
// each token.
func TestAgainstRealPeers(t *testing.T) {
	k := startKDC(t)
	k.run(t, "alice-canary\n", "kinit", "-c", k.path("kinit.ccache"), "alice")
	for _, c := range []struct {
		name                      string
		start                     func(*testing.T) *acceptor
		none, amongOthers, others string // security layers
	}{
		{"MIT", k.startMIT, "01000000", "07ffffff", "06ffffff"},
		{"Java", k.startJava, "auth", "auth-conf,auth-int,auth", "auth-int,auth-conf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &peer{k, c.start(t)}
			p.everyType(t, c.none)
			p.everyClient(t, c.amongOthers)
			p.elsewhere(t, c.none)
			p.atOneInstant(t, c.none)

			o := k.options(nil)
			o.TicketCache = k.path("kinit.ccache")
			mustFail(t, logIn(mustNew(t, o), "localhost", p.login(c.others)), LayerNotOffered)
			if err := logIn(mustNew(t, o), "nokey.test", p.login(c.none)); !errors.Is(err, errBroker) {
				t.Errorf("broker without the key: got %v, want a refusal", err)
			}
		})
	}
}

// peer is an acceptor with the KDC of its tickets.
type peer struct {
	k *realmKDC
	*acceptor
}

func (p *peer) mustLogIn(t *testing.T, o Options, layers, host, client string) {
	t.Helper()
	if err := logIn(mustNew(t, o), host, p.login(layers)); err != nil {
		t.Errorf("%s at %s: got %v, want a login", client, host, err)
	} else if p.client != client+"@"+realmA {
		t.Errorf("%s at %s: got the client %q", client, host, p.client)
	}
}

func (p *peer) everyType(t *testing.T, layers string) {
	for etype := range etypeNames {
		client := fmt.Sprintf("client%d", etype)
		o := p.k.options(nil)
		o.Principal, o.Password = client, ports.NewSecret("typed-canary")
		p.mustLogIn(t, o, layers, fmt.Sprintf("t%d.test", etype), client)
		o.Password, o.Keytab = ports.NewSecret(""), p.k.path("client.keytab")
		for _, host := range []string{"t17.test", "t18.test", "t19.test", "t20.test"} {
			p.mustLogIn(t, o, layers, host, client)
		}
	}
}

func (p *peer) everyClient(t *testing.T, layers string) {
	o := p.k.options(nil)
	o.Principal, o.Password = "alice", ports.NewSecret("alice-canary")
	p.mustLogIn(t, o, layers, "localhost", "alice")
	o.Principal, o.Password = "bob@"+realmA, ports.NewSecret("bob-canary") // the KDC requires no proof
	p.mustLogIn(t, o, layers, "localhost", "bob")
	o = p.k.options(nil)
	o.TicketCache = p.k.path("kinit.ccache")
	p.mustLogIn(t, o, layers, "LocalHost.", "alice")
}

// elsewhere logs in to a broker of another realm, which [domain_realm] names or the KDC.
func (p *peer) elsewhere(t *testing.T, layers string) {
	o := p.k.options(nil)
	o.TicketCache, o.DomainName = p.k.path("kinit.ccache"), "broker.other.test"
	p.mustLogIn(t, o, layers, "127.0.0.1", "alice")
	o.Config = strings.Replace(o.Config, ".other.test = ", "#", 1)
	p.mustLogIn(t, o, layers, "127.0.0.1", "alice")
}

// atOneInstant logs in with a clock that does not advance: no login is a replay.
func (p *peer) atOneInstant(t *testing.T, layers string) {
	o := p.k.options(nil)
	o.Principal, o.Password, o.Clock = "alice", ports.NewSecret("alice-canary"), fake.New(time.Now())
	a := mustNew(t, o)
	for range 20 {
		if err := logIn(a, "localhost", p.login(layers)); err != nil {
			t.Fatal(err)
		}
	}
}

// The ticket with the broker's old key is not used again, although it is valid for an
// hour.
func TestBrokerWithNewKey(t *testing.T) {
	k := startKDC(t)
	peer := k.startMIT(t)
	o := k.options(nil)
	o.Principal, o.Password = "alice", ports.NewSecret("alice-canary")
	a := mustNew(t, o)
	if err := logIn(a, "t18.test", peer.login("01000000")); err != nil {
		t.Fatal(err)
	}
	k.admin(t, realmA, "ktremove -k "+k.quoted("service.keytab")+" kafka/t18.test all",
		"ktadd -k "+k.quoted("service.keytab")+" kafka/t18.test")
	synctest.Test(t, func(t *testing.T) {
		if err := logIn(a, "t18.test", peer.login("01000000")); !errors.Is(err, errBroker) {
			t.Errorf("with the old ticket: got %v, want a refusal", err)
		}
		synctest.Wait()
	})
	if err := logIn(a, "t18.test", peer.login("01000000")); err != nil {
		t.Errorf("after the refusal: got %v, want a login", err)
	}
}

// The reasons for the errors of MIT's KDC.
func TestRealKDCErrors(t *testing.T) {
	k := startKDC(t)
	skewed := fake.New(time.Now().Add(20 * time.Minute))
	never := func([]byte) ([]byte, error) { return nil, errors.New("got a token, want none") }
	for _, c := range []struct {
		name   string
		host   string
		change func(*Options)
		want   Reason
		code   int32
		whose  string
	}{
		{"wrong password", "localhost", func(o *Options) { o.Password = ports.NewSecret("guess") }, WrongKey,
			errorcode.KDC_ERR_PREAUTH_FAILED, "alice@" + realmA},
		{"wrong password, no proof required", "localhost",
			func(o *Options) { o.Principal, o.Password = "bob", ports.NewSecret("guess") }, WrongKey, 0,
			"bob@" + realmA},
		{"old keytab", "localhost", func(o *Options) {
			o.Principal, o.Password, o.Keytab = "rekeyed", ports.NewSecret(""), k.path("old.keytab")
		}, WrongKey, 0, "rekeyed@" + realmA},
		{"unknown client", "localhost", func(o *Options) { o.Principal = "unknown" }, UnknownClient,
			errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN, "unknown@" + realmA},
		{"locked client", "localhost", func(o *Options) { o.Principal = "locked" }, ClientRefused,
			errorcode.KDC_ERR_CLIENT_REVOKED, "locked@" + realmA},
		{"expired client", "localhost", func(o *Options) { o.Principal = "gone" }, ClientRefused,
			errorcode.KDC_ERR_NAME_EXP, "gone@" + realmA},
		{"expired password", "localhost", func(o *Options) { o.Principal = "stale" }, ClientRefused,
			errorcode.KDC_ERR_KEY_EXPIRED, "stale@" + realmA},
		{"unknown service", "nowhere.test", func(*Options) {}, UnknownService, errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN,
			"kafka/nowhere.test@" + realmA},
		{"unknown service name", "localhost", func(o *Options) { o.ServiceName = "kafak" }, UnknownService,
			errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, "kafak/localhost@" + realmA},
		{"service with RC4 only", "rc4.test", func(*Options) {}, EncryptionTypes, errorcode.KDC_ERR_ETYPE_NOSUPP,
			"kafka/rc4.test@" + realmA},
		{"clock fast", "localhost", func(o *Options) { o.Clock = skewed }, ClockSkew, errorcode.KRB_AP_ERR_SKEW,
			"alice@" + realmA},
		{"realm unknown", "localhost", func(o *Options) { o.Principal = "alice@NOWHERE.LOCAL" }, UnknownRealm, 0,
			"NOWHERE.LOCAL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := k.options(nil)
			o.Principal, o.Password = "alice", ports.NewSecret("alice-canary")
			c.change(&o)
			e := mustFail(t, logIn(mustNew(t, o), c.host, never), c.want)
			if e.Code != c.code || e.Principal != c.whose {
				t.Errorf("got code %d of %q, want %d of %q: %v", e.Code, e.Principal, c.code, c.whose, e)
			}
			t.Log(e, "|", e.Hint())
		})
	}
}

// The client's clock runs ahead by less than the KDC allows.
func TestRealTicketsAreReplaced(t *testing.T) {
	k := startKDC(t)
	peer := k.startMIT(t)
	var asked atomic.Int32
	o := k.options(&asked)
	o.Config = strings.Replace(o.Config, "ticket_lifetime = 1h", "ticket_lifetime = 60s", 1)
	clock := fake.New(time.Now())
	o.Principal, o.Password, o.Clock = "alice", ports.NewSecret("alice-canary"), clock
	a := mustNew(t, o)
	step := func(what, host string, want int32) {
		t.Helper()
		asked.Store(0)
		if err := logIn(a, host, peer.login("01000000")); err != nil {
			t.Errorf("%s: got %v, want a login", what, err)
		}
		if got := asked.Load(); got != want {
			t.Errorf("%s: got %d requests to the KDC, want %d", what, got, want)
		}
	}
	step("first login", "localhost", 3)
	step("second login", "localhost", 0)
	clock.Advance(52 * time.Second)
	step("past five sixths", "localhost", 3)
	clock.Advance(62 * time.Second)
	step("expired", "localhost", 3)
	// With a new key of the KDC the ticket-granting ticket is worthless.
	k.admin(t, realmA, "cpw -randkey krbtgt/"+realmA)
	step("new key of the KDC", "t18.test", 4)

	// A renewable ticket from kinit.
	k.run(t, "alice-canary\n", "kinit", "-l", "60s", "-r", "1h", "-c", k.path("renewable.ccache"), "alice")
	clock = fake.New(time.Now())
	o = k.options(&asked)
	o.TicketCache, o.Clock = k.path("renewable.ccache"), clock
	before, err := os.ReadFile(o.TicketCache)
	if err != nil {
		t.Fatal(err)
	}
	a = mustNew(t, o)
	step("new ticket cache", "localhost", 1)
	clock.Advance(55 * time.Second)
	step("old ticket cache", "localhost", 2)
	if after, err := os.ReadFile(o.TicketCache); err != nil || string(after) != string(before) {
		t.Error("got a changed ticket cache, want it unchanged")
	}
}

// kinit and this package use the same default files.
func TestEnvironment(t *testing.T) {
	k := startKDC(t)
	p := &peer{k, k.startMIT(t)}
	t.Setenv("KRB5_CONFIG", k.path("krb5.conf"))
	t.Setenv("KRB5CCNAME", "FILE:"+k.path("env.ccache"))
	k.run(t, "alice-canary\n", "kinit", "-c", "FILE:"+k.path("env.ccache"), "alice")
	p.mustLogIn(t, Options{Run: inline}, "01000000", "localhost", "alice")
	k.run(t, "", "kdestroy", "-c", "FILE:"+k.path("env.ccache"))
	mustFail(t, logIn(mustNew(t, Options{Run: inline}), "localhost", p.login("01000000")), NoTicket)
}
