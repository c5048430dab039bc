package gssapi

import (
	"os"
	"strings"
	"testing"

	"brokerconn/acceptance"
	"brokerconn/acceptance/need"
	"brokerconn/acceptance/saslpeer"
	"brokerconn/ports"
)

// Logins with tickets of Heimdal's KDC, to MIT's libgssapi and to Java. Its principals have
// keys of AES-256, DES3 and RC4, and its tickets a start.
func TestAgainstHeimdal(t *testing.T) {
	need.Extra{Name: "a Heimdal KDC", Variable: "HEIMDAL", Untested: "Heimdal's KDC gave no ticket."}.Test(t,
		acceptance.HeimdalRequirements())
	kdc := saslpeer.Must(acceptance.StartHeimdal(t.Context()))
	t.Cleanup(func() { saslpeer.Succeed(t, kdc.Close()) })
	k := &realmKDC{KDC: kdc, config: string(saslpeer.Must(os.ReadFile(kdc.ConfigFile())))}
	saslpeer.Succeed(t, os.Rename(k.Path("broker.keytab"), k.Path("service.keytab")))
	cache := saslpeer.Must(k.Login(t.Context()))

	const client = acceptance.KerberosUser + "@" + acceptance.Realm
	byPassword, byKeytab, byCache := k.options(nil), k.options(nil), k.options(nil)
	byPassword.Principal, byPassword.Password = client, ports.NewSecret(acceptance.KerberosPassword)
	byKeytab.Principal, byKeytab.Keytab = client, k.UserKeytab()
	byCache.TicketCache = cache
	inItsWords := byKeytab // Heimdal's own way to name a transport
	inItsWords.Config = strings.Replace(k.config, "kdc = ", "kdc = tcp/", 1)
	others := byPassword
	others.Principal = "mallory"
	wrong := byPassword
	wrong.Password = ports.NewSecret("canary guess")
	elsewhere := byPassword
	elsewhere.DomainName = "nowhere.test"

	mit, java := k.startMIT(t), k.startJava(t)
	for _, o := range []Options{byPassword, byKeytab, byCache, inItsWords} {
		for peer, layers := range map[*acceptor]string{mit: "01000000", java: "auth"} {
			saslpeer.ErrorIs(t, "login", logIn(mustNew(o), acceptance.ServiceHost, peer.login(layers)), nil)
			saslpeer.Equal(t, "the client", peer.client, client)
		}
	}
	for want, o := range map[Reason]Options{UnknownClient: others, WrongKey: wrong, UnknownService: elsewhere} {
		mustFail(t, logIn(mustNew(o), acceptance.ServiceHost, mit.login("01000000")), want)
	}
}
