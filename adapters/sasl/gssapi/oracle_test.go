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

// etypeNames are the encryption types as MIT calls them.
var etypeNames = map[int32]string{17: "aes128-cts-hmac-sha1-96", 18: "aes256-cts-hmac-sha1-96", 19: "aes128-sha2", 20: "aes256-sha2"}

// populate makes clients and services, some of one encryption type alone.
func (k *realmKDC) populate(t *testing.T) {
	t.Helper()
	service, client := k.quoted("service.keytab"), k.quoted("client.keytab")
	commands := []string{
		"addprinc -randkey kafka/localhost", "ktadd -k " + service + " kafka/localhost",
		"addprinc +requires_preauth -pw alice-canary alice", "addprinc -requires_preauth -pw bob-canary bob",
		"addprinc -pw x locked", "modprinc -allow_tix locked",
		"addprinc -pw x -pwexpire yesterday stale", "addprinc -pw x -expire yesterday gone",
		"addprinc -randkey rekeyed", "ktadd -k " + k.quoted("old.keytab") + " rekeyed", "cpw -randkey rekeyed",
		"addprinc -e arcfour-hmac:normal -randkey kafka/rc4.test", "setstr kafka/rc4.test session_enctypes arcfour-hmac",
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

// TestAgainstRealPeers logs in with tickets of MIT's KDC to MIT's libgssapi and to
// Java, which both judge every token of ours as we do theirs.
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
				t.Errorf("a broker without the key: %v", err)
			}
		})
	}
}

// peer is an acceptor, and where its tickets come from.
type peer struct {
	k *realmKDC
	*acceptor
}

func (p *peer) mustLogIn(t *testing.T, o Options, layers, host, client string) {
	t.Helper()
	if err := logIn(mustNew(t, o), host, p.login(layers)); err != nil {
		t.Errorf("%s at %s: %v", client, host, err)
	} else if p.client != client+"@"+realmA {
		t.Errorf("%s at %s: the acceptor takes the client for %q", client, host, p.client)
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
	o.Principal, o.Password = "bob@"+realmA, ports.NewSecret("bob-canary") // of whom the KDC wants no proof
	p.mustLogIn(t, o, layers, "localhost", "bob")
	o = p.k.options(nil)
	o.TicketCache = p.k.path("kinit.ccache")
	p.mustLogIn(t, o, layers, "LocalHost.", "alice")
}

// elsewhere is another realm: as [domain_realm] says, or as the KDC does.
func (p *peer) elsewhere(t *testing.T, layers string) {
	o := p.k.options(nil)
	o.TicketCache, o.DomainName = p.k.path("kinit.ccache"), "broker.other.test"
	p.mustLogIn(t, o, layers, "127.0.0.1", "alice")
	o.Config = strings.Replace(o.Config, ".other.test = ", "#", 1)
	p.mustLogIn(t, o, layers, "127.0.0.1", "alice")
}

// atOneInstant: no login is taken for a replay of another.
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

// TestBrokerWithAnotherKey: the ticket that was made with the old key is not used
// again, although it would last for an hour.
func TestBrokerWithAnotherKey(t *testing.T) {
	k := startKDC(t)
	peer := k.startMIT(t)
	o := k.options(nil)
	o.Principal, o.Password = "alice", ports.NewSecret("alice-canary")
	a := mustNew(t, o)
	if err := logIn(a, "t18.test", peer.login("01000000")); err != nil {
		t.Fatal(err)
	}
	k.admin(t, realmA, "ktremove -k "+k.quoted("service.keytab")+" kafka/t18.test all", "ktadd -k "+k.quoted("service.keytab")+" kafka/t18.test")
	synctest.Test(t, func(t *testing.T) {
		if err := logIn(a, "t18.test", peer.login("01000000")); !errors.Is(err, errBroker) {
			t.Errorf("with the old ticket: %v", err)
		}
		synctest.Wait()
	})
	if err := logIn(a, "t18.test", peer.login("01000000")); err != nil {
		t.Errorf("after the old ticket was refused: %v", err)
	}
}

// TestRealKDCRefuses holds the reasons against what MIT's KDC says.
func TestRealKDCRefuses(t *testing.T) {
	k := startKDC(t)
	skewed := fake.New(time.Now().Add(20 * time.Minute))
	never := func([]byte) ([]byte, error) { return nil, errors.New("the broker was talked to") }
	for _, c := range []struct {
		name   string
		host   string
		change func(*Options)
		want   Reason
		code   int32
		whose  string
	}{
		{"wrong password", "localhost", func(o *Options) { o.Password = ports.NewSecret("guess") }, WrongKey, errorcode.KDC_ERR_PREAUTH_FAILED, "alice@" + realmA},
		{"wrong password, no proof wanted", "localhost", func(o *Options) { o.Principal, o.Password = "bob", ports.NewSecret("guess") }, WrongKey, 0, "bob@" + realmA},
		{"old keytab", "localhost", func(o *Options) {
			o.Principal, o.Password, o.Keytab = "rekeyed", ports.NewSecret(""), k.path("old.keytab")
		}, WrongKey, 0, "rekeyed@" + realmA},
		{"unknown client", "localhost", func(o *Options) { o.Principal = "nobody" }, UnknownClient, errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN, "nobody@" + realmA},
		{"locked client", "localhost", func(o *Options) { o.Principal = "locked" }, ClientRefused, errorcode.KDC_ERR_CLIENT_REVOKED, "locked@" + realmA},
		{"expired client", "localhost", func(o *Options) { o.Principal = "gone" }, ClientRefused, errorcode.KDC_ERR_NAME_EXP, "gone@" + realmA},
		{"expired password", "localhost", func(o *Options) { o.Principal = "stale" }, ClientRefused, errorcode.KDC_ERR_KEY_EXPIRED, "stale@" + realmA},
		{"unknown service", "nowhere.test", func(*Options) {}, UnknownService, errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, "kafka/nowhere.test@" + realmA},
		{"unknown service name", "localhost", func(o *Options) { o.ServiceName = "kafak" }, UnknownService, errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, "kafak/localhost@" + realmA},
		{"service with RC4 only", "rc4.test", func(*Options) {}, EncryptionTypes, errorcode.KDC_ERR_ETYPE_NOSUPP, "kafka/rc4.test@" + realmA},
		{"clock fast", "localhost", func(o *Options) { o.Clock = skewed }, ClockSkew, errorcode.KRB_AP_ERR_SKEW, "alice@" + realmA},
		{"realm unknown", "localhost", func(o *Options) { o.Principal = "alice@NOWHERE.LOCAL" }, UnknownRealm, 0, "NOWHERE.LOCAL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := k.options(nil)
			o.Principal, o.Password = "alice", ports.NewSecret("alice-canary")
			c.change(&o)
			e := mustFail(t, logIn(mustNew(t, o), c.host, never), c.want)
			if e.Code != c.code || e.Principal != c.whose {
				t.Errorf("the code is %d instead of %d, the principal %q instead of %q: %v", e.Code, c.code, e.Principal, c.whose, e)
			}
			t.Log(e, "|", e.Hint())
		})
	}
}

// TestRealTicketsAreGotAnew: the clock that the tickets are held against runs ahead
// by less than the KDC allows.
func TestRealTicketsAreGotAnew(t *testing.T) {
	k := startKDC(t)
	peer := k.startMIT(t)
	var asked atomic.Int32
	o := k.options(&asked)
	o.Config = strings.Replace(o.Config, "ticket_lifetime = 1h", "ticket_lifetime = 60s", 1)
	clock := fake.New(time.Now())
	o.Principal, o.Password, o.Clock = "alice", ports.NewSecret("alice-canary"), clock
	a := mustNew(t, o)
	step := func(what string, want int32) {
		t.Helper()
		asked.Store(0)
		if err := logIn(a, "localhost", peer.login("01000000")); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if got := asked.Load(); got != want {
			t.Errorf("%s: the KDC was asked %d times instead of %d", what, got, want)
		}
	}
	step("the first login", 3)
	step("the second", 0)
	clock.Advance(52 * time.Second)
	step("past five sixths", 3)
	clock.Advance(62 * time.Second)
	step("past the end", 3)
	// The KDC makes its own key anew: what it granted is worth nothing.
	k.admin(t, realmA, "cpw -randkey krbtgt/"+realmA)
	asked.Store(0)
	if err := logIn(a, "t18.test", peer.login("01000000")); err != nil {
		t.Errorf("after the KDC has another key: %v", err)
	}
	if got := asked.Load(); got != 4 {
		t.Errorf("after the KDC has another key it was asked %d times instead of 4", got)
	}

	// A renewable ticket of kinit's.
	k.run(t, "alice-canary\n", "kinit", "-l", "60s", "-r", "1h", "-c", k.path("renewable.ccache"), "alice")
	clock = fake.New(time.Now())
	o = k.options(&asked)
	o.TicketCache, o.Clock = k.path("renewable.ccache"), clock
	before, err := os.ReadFile(o.TicketCache)
	if err != nil {
		t.Fatal(err)
	}
	a = mustNew(t, o)
	step("with a new ticket of kinit's", 1)
	clock.Advance(55 * time.Second)
	step("with an old one", 2)
	if after, err := os.ReadFile(o.TicketCache); err != nil || string(after) != string(before) {
		t.Error("the ticket cache was written to")
	}
}

// TestEnvironment: kinit and this package find the same files by themselves.
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
