package gssapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/clock/fake"
	"brokerconn/ports"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
)

// etypeNames are MIT's names of the encryption types.
var etypeNames = map[int32]string{17: "aes128-cts", 18: "aes256-cts", 19: "aes128-sha2", 20: "aes256-sha2"}

// populate creates clients and services, some of one encryption type alone.
func (k *realmKDC) populate() error {
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
		"addprinc -pw canary-shared krbtgt/" + realmB + "@" + realmA,
	}
	for etype, name := range etypeNames {
		commands = append(commands,
			fmt.Sprintf("addprinc -e %s:normal -randkey kafka/t%d.test", name, etype),
			fmt.Sprintf("ktadd -norandkey -k %s kafka/t%d.test", service, etype),
			fmt.Sprintf("addprinc +requires_preauth -e %s:normal -pw typed-canary client%d", name, etype),
			fmt.Sprintf("ktadd -norandkey -k %s client%d", client, etype))
	}
	return errors.Join(k.Admin(context.Background(), realmA, commands...),
		k.Admin(context.Background(), realmB, "addprinc -pw canary-shared krbtgt/"+realmB+"@"+realmA,
			"addprinc -randkey kafka/broker.other.local", "ktadd -k "+service+" kafka/broker.other.local"))
}

// Logins with tickets of MIT's KDC, to MIT's libgssapi and to Java, both of which verify
// each token.
func TestAgainstRealPeers(t *testing.T) {
	k := startKDC(t)
	k.run(t, "alice-canary\n", "kinit", "-c", k.Path("kinit.ccache"), "alice")
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

			o := k.cached("kinit.ccache")
			mustFail(t, logIn(mustNew(o), "localhost", p.login(c.others)), LayerNotOffered)
			err := logIn(mustNew(o), "nokey.test", p.login(c.none))
			saslpeer.ErrorIs(t, "broker without the key", err, saslpeer.ErrBroker)
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
	saslpeer.ErrorIs(t, client+" at "+host, logIn(mustNew(o), host, p.login(layers)), nil)
	saslpeer.Equal(t, "the client at "+host, p.client, client+"@"+realmA)
}

// alice are the options of a client of the KDC, with her password.
func (k *realmKDC) alice() Options {
	o := k.options(nil)
	o.Principal, o.Password = "alice", ports.NewSecret("alice-canary")
	return o
}

// cached are those with a ticket cache.
func (k *realmKDC) cached(name string) Options {
	o := k.options(nil)
	o.TicketCache = k.Path(name)
	return o
}

func (p *peer) everyType(t *testing.T, layers string) {
	for etype := range etypeNames {
		client := fmt.Sprintf("client%d", etype)
		o := p.k.options(nil)
		o.Principal, o.Password = client, ports.NewSecret("typed-canary")
		p.mustLogIn(t, o, layers, fmt.Sprintf("t%d.test", etype), client)
		o.Password, o.Keytab = ports.NewSecret(""), p.k.Path("client.keytab")
		for _, host := range []string{"t17.test", "t18.test", "t19.test", "t20.test"} {
			p.mustLogIn(t, o, layers, host, client)
		}
	}
}

func (p *peer) everyClient(t *testing.T, layers string) {
	o := p.k.alice()
	p.mustLogIn(t, o, layers, "localhost", "alice")
	o.Principal, o.Password = "bob@"+realmA, ports.NewSecret("bob-canary") // the KDC requires no proof
	p.mustLogIn(t, o, layers, "localhost", "bob")
	p.mustLogIn(t, p.k.cached("kinit.ccache"), layers, "LocalHost.", "alice")
}

// elsewhere logs in to a broker of another realm, which [domain_realm] names or the KDC.
func (p *peer) elsewhere(t *testing.T, layers string) {
	o := p.k.cached("kinit.ccache")
	o.DomainName = "broker.other.local"
	p.mustLogIn(t, o, layers, "127.0.0.1", "alice")
	o.Config = strings.Replace(o.Config, ".other.local = ", "#", 1)
	p.mustLogIn(t, o, layers, "127.0.0.1", "alice")
}

// atOneInstant logs in with a clock that does not advance: no login is a replay.
func (p *peer) atOneInstant(t *testing.T, layers string) {
	o := p.k.alice()
	o.Clock = fake.New(time.Now())
	a := mustNew(o)
	for range 20 {
		saslpeer.Succeed(t, logIn(a, "localhost", p.login(layers)))
	}
}

// The ticket with the broker's old key is not used again, although it is valid for an
// hour.
func TestBrokerWithNewKey(t *testing.T) {
	k := startKDC(t)
	peer := k.startMIT(t)
	a := mustNew(k.alice())
	saslpeer.Succeed(t, logIn(a, "t18.test", peer.login("01000000")))
	k.admin(t, "ktremove -k "+k.quoted("service.keytab")+" kafka/t18.test all",
		"ktadd -k "+k.quoted("service.keytab")+" kafka/t18.test")
	synctest.Test(t, func(t *testing.T) {
		saslpeer.ErrorIs(t, "with the old ticket", logIn(a, "t18.test", peer.login("01000000")), saslpeer.ErrBroker)
		synctest.Wait()
	})
	saslpeer.ErrorIs(t, "after the refusal", logIn(a, "t18.test", peer.login("01000000")), nil)
}

// A broker that asked for a ticket on behalf of a user, by MIT's kvno -U, logs in to itself
// as itself.
func TestTicketForAnotherIsNotUsed(t *testing.T) {
	k := startKDC(t)
	p := &peer{k, k.startMIT(t)}
	const broker = "kafka/localhost"
	cache := "FILE:" + k.Path("onbehalf.ccache")
	k.run(t, "", "kinit", "-c", cache, "-k", "-t", k.Path("service.keytab"), broker)
	k.run(t, "", "kvno", "-c", cache, "-U", "alice", broker)
	for _, principal := range []string{"", broker} {
		o := k.cached("onbehalf.ccache")
		o.Principal = principal
		p.mustLogIn(t, o, "01000000", "localhost", broker)
	}
}

// The reasons for the errors of MIT's KDC.
func TestRealKDCErrors(t *testing.T) {
	k := startKDC(t)
	skewed := fake.New(time.Now().Add(20 * time.Minute))
	never := func([]byte) ([]byte, error) { return nil, errors.New("got a token, want none") }
	const at = "@" + realmA
	guess := ports.NewSecret("canary guess")
	for _, c := range []struct {
		name  string
		o     Options // what differs from alice's
		want  Reason
		code  int32
		whose string
	}{
		{"wrong password", Options{Password: guess}, WrongKey, errorcode.KDC_ERR_PREAUTH_FAILED, "alice" + at},
		{"wrong password, no proof required", Options{Principal: "bob", Password: guess}, WrongKey, 0, "bob" + at},
		{"old keytab", Options{Principal: "rekeyed", Keytab: k.Path("old.keytab")}, WrongKey, 0, "rekeyed" + at},
		{"unknown client", Options{Principal: "unknown"}, UnknownClient, errorcode.KDC_ERR_C_PRINCIPAL_UNKNOWN,
			"unknown" + at},
		{"locked client", Options{Principal: "locked"}, ClientRefused, errorcode.KDC_ERR_CLIENT_REVOKED, "locked" + at},
		{"expired client", Options{Principal: "gone"}, ClientRefused, errorcode.KDC_ERR_NAME_EXP, "gone" + at},
		{"expired password", Options{Principal: "stale"}, ClientRefused, errorcode.KDC_ERR_KEY_EXPIRED, "stale" + at},
		{"unknown service", Options{DomainName: "nowhere.test"}, UnknownService,
			errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN, "kafka/nowhere.test" + at},
		{"unknown service name", Options{ServiceName: "kafak"}, UnknownService, errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN,
			"kafak/localhost" + at},
		{"service with RC4 only", Options{DomainName: "rc4.test"}, EncryptionTypes, errorcode.KDC_ERR_ETYPE_NOSUPP,
			"kafka/rc4.test" + at},
		{"clock fast", Options{Clock: skewed}, ClockSkew, errorcode.KRB_AP_ERR_SKEW, "alice" + at},
		{"realm unknown", Options{Principal: "alice@NOWHERE.LOCAL"}, UnknownRealm, 0, "NOWHERE.LOCAL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			usual := k.alice()
			c.o.Config, c.o.Dial = usual.Config, usual.Dial
			c.o.Principal = cmp.Or(c.o.Principal, usual.Principal)
			if c.o.Keytab == "" {
				c.o.Password = cmp.Or(c.o.Password, usual.Password)
			}
			e := mustFail(t, logIn(mustNew(c.o), "localhost", never), c.want)
			saslpeer.Equal(t, "the code", e.Code, c.code)
			saslpeer.Equal(t, "the principal", e.Principal, c.whose)
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
	a := mustNew(o)
	step := func(what, host string, want int32) {
		t.Helper()
		asked.Store(0)
		saslpeer.ErrorIs(t, what, logIn(a, host, peer.login("01000000")), nil)
		saslpeer.Equal(t, what+": requests to the KDC", asked.Load(), want)
	}
	step("first login", "localhost", 3)
	step("second login", "localhost", 0)
	clock.Advance(52 * time.Second)
	step("past five sixths", "localhost", 3)
	clock.Advance(62 * time.Second)
	step("expired", "localhost", 3)
	// With a new key of the KDC the ticket-granting ticket is worthless.
	k.admin(t, "cpw -randkey krbtgt/"+realmA)
	step("new key of the KDC", "t18.test", 4)

	// A renewable ticket from kinit.
	k.run(t, "alice-canary\n", "kinit", "-l", "60s", "-r", "1h", "-c", k.Path("renewable.ccache"), "alice")
	clock = fake.New(time.Now())
	o = k.options(&asked)
	o.TicketCache, o.Clock = k.Path("renewable.ccache"), clock
	before := saslpeer.Must(os.ReadFile(o.TicketCache))
	a = mustNew(o)
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
	t.Setenv("KRB5_CONFIG", k.Path("krb5.conf"))
	t.Setenv("KRB5CCNAME", "FILE:"+k.Path("env.ccache"))
	k.run(t, "alice-canary\n", "kinit", "-c", "FILE:"+k.Path("env.ccache"), "alice")
	p.mustLogIn(t, Options{}, "01000000", "localhost", "alice")
	k.run(t, "", "kdestroy", "-c", "FILE:"+k.Path("env.ccache"))
	mustFail(t, logIn(mustNew(Options{}), "localhost", p.login("01000000")), NoTicket)
}
