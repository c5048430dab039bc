package properties

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance/saslpeer"
	"brokerconn/adapters/sasl"
	"brokerconn/adapters/sasl/gssapi"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/application/broker"
	"brokerconn/ports"
	"brokerconn/ports/porttest"
)

// loginsOf are the keys of a login in each dialect.
func loginsOf(mechanism, user, password string) map[Dialect][]string {
	module := map[bool]string{true: "plain.PlainLoginModule", false: "scram.ScramLoginModule"}[mechanism == "PLAIN"]
	return map[Dialect][]string{
		KafkaPython: {"security_protocol=SASL_PLAINTEXT", "sasl_mechanism=" + mechanism, "sasl_plain_username=" +
			user, "sasl_plain_password=" + password},
		Java: {"security.protocol=SASL_PLAINTEXT", "sasl.mechanism=" + mechanism,
			`sasl.jaas.config=org.apache.kafka.common.security.` + module + ` required username="` + user +
				`" password="` + password + `";`},
		Librdkafka: {"security.protocol=sasl_plaintext", "sasl.mechanisms=" + mechanism, "sasl.username=" + user,
			"sasl.password=" + password},
	}
}

// The way of a user: properties, and a broker on a socket that knows who is meant.
func TestLogins(t *testing.T) {
	const user = "alice,b=c"
	_, at := saslpeer.Cluster(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", user, canary),
		kfake.Superuser("SCRAM-SHA-256", user, canary), kfake.Superuser("SCRAM-SHA-512", user, canary))
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		for d, lines := range loginsOf(mechanism, user, canary) {
			t.Run(mechanism+" "+d.String(), func(t *testing.T) {
				_, cfg := configured(t, d, "", lines...)
				saslpeer.Equal(t, "mechanism", cfg.Authenticators[0].Mechanism(), mechanism)
				cfg.Host, cfg.Port = at.Host, at.Port
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				conn, err := broker.Dial(ctx, cfg)
				saslpeer.Succeed(t, err)
				if _, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, conn); err != nil {
					t.Error(err)
				}
				conn.Close()
				<-conn.Done()
			})
		}
	}
}

// Names and passwords go out as they are, and tokens as tokens.
func TestFirstWords(t *testing.T) {
	for _, c := range []struct {
		login     SASL
		beginning string
		end       string
	}{
		{SASL{Mechanism: "PLAIN", Login: scram.Options{Username: "Jürgen\u00ad",
			Password: ports.NewSecret("e\u0301" + canary)}}, "\x00Jürgen\u00ad\x00e\u0301" + canary, ""},
		{SASL{Mechanism: "SCRAM-SHA-256", Login: scram.Options{Username: "Jürgen\u00ad,=",
			Password: ports.NewSecret(canary)}}, "n,,n=Jürgen\u00ad=2C=3D,r=", ""},
		{SASL{Mechanism: "SCRAM-SHA-512", Login: scram.Options{Username: "id", Password: ports.NewSecret(canary),
			DelegationToken: true}}, "n,,n=id,r=", ",tokenauth=true"},
	} {
		cfg, err := (&Settings{Security: SASLPlaintext, SASL: c.login}).Config()
		saslpeer.Succeed(t, err)
		response, _, err := saslpeer.Step(saslpeer.Begin(t, cfg.Authenticators[0]), nil)
		saslpeer.Succeed(t, err)
		word := string(response)
		if !strings.HasPrefix(word, c.beginning) || !strings.HasSuffix(word, c.end) || c.end == "" &&
			strings.Contains(word, "tokenauth") {
			t.Errorf("got %q, want %q at the start and %q at the end", word, c.beginning, c.end)
		}
	}
}

// An authenticator of the user's wins, as a transport does.
func TestOwnAuthenticatorWins(t *testing.T) {
	own := ownAuthenticator{}
	for _, login := range []SASL{{}, {Mechanism: "PLAIN"}, {Mechanism: "PLAIN",
		Login: scram.Options{Username: "u", Password: ports.NewSecret(canary)}}, {Mechanism: "OAUTHBEARER"}} {
		for _, protocol := range []Protocol{Plaintext, SASLPlaintext} {
			cfg, err := (&Settings{Security: protocol, SASL: login,
				Connection: broker.Config{Authenticators: []ports.Authenticator{own}}}).Config()
			if err != nil || len(cfg.Authenticators) != 1 || cfg.Authenticators[0] != own {
				t.Errorf("got %v, %v; want the authenticator that the program gave", cfg.Authenticators, err)
			}
		}
	}
	cfg, err := (&Settings{Security: SSL, SASL: SASL{Mechanism: "PLAIN"}}).Config()
	if err != nil || cfg.Authenticators != nil {
		t.Errorf("without a login: got %v, %v", cfg.Authenticators, err)
	}
}

type ownAuthenticator struct{}

func (ownAuthenticator) Mechanism() string                   { return "X-OWN" }
func (ownAuthenticator) Begin(ports.Endpoint) ports.Exchange { return sasl.Refuse(errors.New("own")) }

// An error of a mechanism names the key that the user wrote.
func TestConfigNamesLoginKeys(t *testing.T) {
	kerberosFiles(t) // the machine may have no krb5.conf
	invalid, none := ports.NewSecret(canary+"\x00"), ports.Secret{}
	for _, c := range []struct {
		dialect Dialect
		login   SASL
		words   []string // of each problem
	}{
		{KafkaPython, SASL{Mechanism: "PLAIN", Login: scram.Options{Username: "u", Password: invalid}},
			[]string{"sasl_plain_password: contains a NUL"}},
		{Librdkafka, SASL{Mechanism: "SCRAM-SHA-256", Login: scram.Options{Username: "u\xff", Password: invalid}},
			[]string{"sasl.username: not UTF-8", "sasl.password: contains a NUL"}},
		{Java, SASL{Mechanism: "SCRAM-SHA-512", Login: scram.Options{Username: "u\x00", Password: invalid}},
			[]string{"sasl.jaas.config: username: contains a NUL", "sasl.jaas.config: password: contains a NUL"}},
		{Java, SASL{Mechanism: "PLAIN", Login: scram.Options{Username: "u", Password: none}},
			[]string{"sasl.jaas.config: password: not given"}},
		{KafkaPython, SASL{}, []string{`sasl_mechanism: "", and SASL_SSL needs one of PLAIN, SCRAM-SHA-256`}},
		{Librdkafka, SASL{Mechanism: "plain"}, []string{`sasl.mechanisms: "plain", and SASL_SSL needs one of`}},
		{Java, SASL{Mechanism: "OAUTHBEARER"}, []string{"sasl.oauthbearer.token.endpoint.url: ",
			"sasl.oauthbearer.client.credentials.client.id: not given",
			"sasl.oauthbearer.client.credentials.client.secret: not given"}},
		{Librdkafka, SASL{Mechanism: "GSSAPI", Kerberos: gssapi.Options{Principal: "a@b@c"}},
			[]string{"sasl.kerberos.principal: write a principal as"}},
	} {
		cfg, err := (&Settings{Dialect: c.dialect, Security: SASLSSL, SASL: c.login}).Config()
		all := unjoined(err)
		if len(all) != len(c.words) || cfg.Authenticators != nil || cfg.Transport != nil {
			t.Errorf("%v, want %q", err, c.words)
			continue
		}
		for i, word := range c.words {
			var wrong *Error
			if !errors.As(all[i], &wrong) || !strings.HasPrefix(all[i].Error(), word) {
				t.Errorf("%v, want %q", all[i], word)
			}
		}
		porttest.NoSecrets(t, "the error", err, canary)
	}
}
