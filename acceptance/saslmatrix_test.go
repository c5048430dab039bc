//go:build acceptance

package acceptance

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"brokerconn/adapters/sasl/gssapi"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/adapters/sasl/plain"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/adapters/tls"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// The matrix of logins: every mechanism that a broker has, over SASL_PLAINTEXT and
// SASL_SSL. A cell is green if a record was produced and fetched after the login.
// unavailable has the cells that a release cannot have; any other is red.

var allMechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "GSSAPI", "OAUTHBEARER"}

// unavailable has, by mechanism, the first release that has it, and why.
var unavailable = map[string]struct {
	before broker.Release
	why    string
}{
	"PLAIN":         {broker.Release{Minor: 10}, "since 0.10 (KIP-43)"},
	"SCRAM-SHA-256": {broker.Release{Minor: 10, Patch: 2}, "since 0.10.2 (KIP-84)"},
	"SCRAM-SHA-512": {broker.Release{Minor: 10, Patch: 2}, "since 0.10.2 (KIP-84)"},
	"OAUTHBEARER":   {broker.Release{Major: 2}, "since 2.0 (KIP-255)"},
}

// TestSASLMatrix has the newest broker and one that takes raw tokens; make sasl-matrix has
// all.
func TestSASLMatrix(t *testing.T) { saslMatrix(t, Newest, "0.10.2.2") }

func saslMatrix(t *testing.T, versions ...string) {
	kdc := sharedKDC(t)
	cache := must(kdc.Login(t.Context()))(t)
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "BROKER\tPROTOCOL\t%s\n", strings.Join(allMechanisms, "\t"))
	green, impossible := 0, 0
	for _, version := range versions {
		b := secured(t, version)
		for _, l := range []Listener{SASLPlaintext, SASLSSL} {
			fmt.Fprintf(w, "%s\t%s", version, l)
			for _, mechanism := range allMechanisms {
				c := saslCell{b, l, mechanism, kdc, cache}
				if why := c.impossible(); why != "" {
					if slices.Contains(b.Mechanisms(), mechanism) {
						t.Errorf("%s %s: got it offered by the broker, want it not: %s", version, mechanism, why)
					}
					impossible++
					fmt.Fprintf(w, "\t%s", why)
					continue
				}
				result := "red"
				t.Run(strings.Join([]string{version, string(l), mechanism}, " "),
					func(t *testing.T) { result = c.try(t) })
				if result != "red" {
					green++
				}
				fmt.Fprintf(w, "\t%s", result)
			}
			fmt.Fprintln(w)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	w.Flush()
	red := 2*len(versions)*len(allMechanisms) - green - impossible
	t.Logf("%d cells green, %d cannot be, %d red\n%s", green, impossible, red, &table)
	if red != 0 {
		t.Errorf("got %d red cells, want none", red)
	}
}

type saslCell struct {
	b         *Broker
	listener  Listener
	mechanism string
	kdc       *KDC
	cache     string
}

func (c saslCell) release() broker.Release { return Variant{Version: c.b.config.Version}.Release() }

func (c saslCell) impossible() string {
	if no := unavailable[c.mechanism]; c.release().Compare(no.before) < 0 {
		return no.why
	}
	return ""
}

// config is for the listener. Kafka before 0.10 has no ApiVersions, so its release is
// configured.
func (c saslCell) config(t *testing.T, a ports.Authenticator) broker.Config {
	t.Helper()
	d := target{b: c.b, listener: c.listener}
	if r := c.release(); r.Compare(broker.Release{Minor: 10}) < 0 {
		d.release = r
	}
	cfg := d.config(t)
	if c.listener.secure() {
		cfg = d.secured(t, tls.Options{CAFile: c.b.ClientFiles().CA})
	}
	cfg.Authenticators = []ports.Authenticator{a}
	return cfg
}

// try logs in with each kind of credentials and returns how long the last login took. It
// also tries a wrong password, which must fail as an authentication error.
func (c saslCell) try(t *testing.T) (result string) {
	for name, a := range c.authenticators(t) {
		began := time.Now()
		if err := roundTrip(t, c.b, c.config(t, a)); err != nil {
			t.Errorf("%s: %v", name, err)
			return "red"
		}
		result = fmt.Sprintf("ok %v", time.Since(began).Round(time.Millisecond))
	}
	if wrong := c.wrong(t); wrong != nil {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_, err := broker.Dial(ctx, c.config(t, wrong))
		text := fmt.Sprintf("%v %+v", err, err)
		if !errors.Is(err, broker.ErrAuthentication) || strings.Contains(text, wrongPassword) {
			t.Errorf("a wrong password: got %v, want ErrAuthentication without the password", err)
			return "red"
		}
	}
	return result
}

func (c saslCell) authenticators(t *testing.T) map[string]ports.Authenticator {
	t.Helper()
	switch c.mechanism {
	case "PLAIN":
		return map[string]ports.Authenticator{"password": newPlain(t, PlainPassword)}
	case "GSSAPI":
		all := map[string]ports.Authenticator{}
		for name, o := range map[string]gssapi.Options{
			"password": {Principal: KerberosUser, Password: ports.NewSecret(KerberosPassword)},
			"keytab":   {Principal: KerberosUser, Keytab: c.kdc.UserKeytab()},
			"cache":    {TicketCache: c.cache},
		} {
			o.ConfigFile, o.DomainName = c.kdc.ConfigFile(), ServiceHost
			all[name] = must(gssapi.New(o))(t)
		}
		return all
	case "OAUTHBEARER":
		a := must(oauthbearer.New(oauthbearer.Options{Tokens: unsecuredToken}))(t)
		return map[string]ports.Authenticator{"token": a}
	}
	return map[string]ports.Authenticator{"password": newScram(t, c.mechanism, ScramPassword)}
}

const wrongPassword = "canary-of-a-wrong-password"

// wrong returns an authenticator with a wrong password, or nil for a mechanism without
// passwords at the broker.
func (c saslCell) wrong(t *testing.T) ports.Authenticator {
	t.Helper()
	switch c.mechanism {
	case "PLAIN":
		return newPlain(t, wrongPassword)
	case "SCRAM-SHA-256", "SCRAM-SHA-512":
		return newScram(t, c.mechanism, wrongPassword)
	}
	return nil
}

func newPlain(t *testing.T, password string) ports.Authenticator {
	t.Helper()
	return must(plain.New(plain.Options{Username: PlainUser, Password: ports.NewSecret(password)}))(t)
}

func newScram(t *testing.T, mechanism, password string) ports.Authenticator {
	t.Helper()
	hash := scram.SHA256
	if mechanism == "SCRAM-SHA-512" {
		hash = scram.SHA512
	}
	return must(scram.New(hash, scram.Options{Username: ScramUser, Password: ports.NewSecret(password)}))(t)
}

// unsecuredToken returns a token that Kafka's own validator for tests accepts: unsigned,
// with its times in seconds.
func unsecuredToken(context.Context) (oauthbearer.Token, error) {
	now := time.Now()
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	claims := fmt.Sprintf(`{"sub":%q,"iat":%d,"exp":%d}`, PlainUser, now.Unix(), now.Add(time.Hour).Unix())
	return oauthbearer.Token{AccessToken: ports.NewSecret(part(`{"alg":"none"}`) + "." + part(claims) + "."),
		Expiry: now.Add(time.Hour)}, nil
}
