package acceptance

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The users of the SASL listeners. GSSAPI has KerberosUser; OAUTHBEARER accepts the user
// that an unsigned token names.
const (
	PlainUser, PlainPassword = "alice", "alice-canary"
	ScramUser, ScramPassword = "bob", "bob-canary"
)

// SessionLifetime is how long a session lasts on a Reauth listener.
const SessionLifetime = 3 * time.Second

// modules are the login modules of Java, with their options, for each mechanism. Places
// in them: {keytab} has the keys of {service}, the broker; see release for others.
var modules = map[string]string{
	"PLAIN": `org.apache.kafka.common.security.plain.PlainLoginModule required user_` + PlainUser + `="` +
		PlainPassword + `";`,
	"SCRAM-SHA-256": scramModule,
	"SCRAM-SHA-512": scramModule,
	// Kafka's own login module for tests, which accepts unsigned tokens. The broker needs
	// one itself.
	"OAUTHBEARER": `org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required ` +
		`unsecuredLoginStringClaim_sub="broker";`,
	// A broker that is no client needs no ticket, and so no KDC to start.
	"GSSAPI": `com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true isInitiator=false ` +
		`keyTab="{keytab}" principal="{service}";`,
}

const scramModule = `org.apache.kafka.common.security.scram.ScramLoginModule required;`

// Mechanisms returns the SASL mechanisms of the broker, sorted. It is empty without a SASL
// listener.
func (b *Broker) Mechanisms() []string {
	if !slices.ContainsFunc(b.listeners, Listener.sasl) {
		return nil
	}
	offered := slices.Clone(b.release.mechanisms)
	if b.config.KDC == nil {
		offered = slices.DeleteFunc(offered, func(m string) bool { return m == "GSSAPI" })
	}
	slices.Sort(offered)
	return offered
}

// logins is the server's configuration for SASL. How login modules are named
// depends on the release: for a listener and a mechanism, or all in one file.
func (b *Broker) logins() (properties map[string]string, err error) {
	mechanisms := b.Mechanisms()
	if len(mechanisms) == 0 {
		return nil, fmt.Errorf("acceptance: Kafka %s knows only GSSAPI, which needs a KDC", b.config.Version)
	}
	properties = map[string]string{
		"sasl.enabled.mechanisms":    strings.Join(mechanisms, ","),
		"sasl.kerberos.service.name": ServiceName,
	}
	if !b.release.jaas {
		var all []string
		for _, m := range mechanisms {
			all = append(all, b.fill(modules[m]))
		}
		text := "KafkaServer {\n" + strings.Join(slices.Compact(all), "\n") + "\n};\n"
		if err := os.WriteFile(filepath.Join(b.dir, jaasFile), []byte(text), 0o600); err != nil {
			return nil, fmt.Errorf("acceptance: the broker's login modules: %w", err)
		}
		return properties, nil
	}
	for _, l := range b.listeners {
		if !l.sasl() {
			continue
		}
		for _, m := range mechanisms {
			prefix := b.prefix(l) + strings.ToLower(m) + "."
			properties[prefix+"sasl.jaas.config"] = b.fill(modules[m])
			if l == Reauth {
				properties[prefix+"connections.max.reauth.ms"] = strconv.FormatInt(SessionLifetime.Milliseconds(), 10)
			}
		}
	}
	return properties, nil
}

const jaasFile = "jaas.conf"

// loginFlags are the flags of the broker's JVM for SASL.
func (b *Broker) loginFlags() (flags []string) {
	mechanisms := b.Mechanisms()
	if len(mechanisms) > 0 && !b.release.jaas {
		flags = append(flags, b.fill("-Djava.security.auth.login.config={dir}/"+jaasFile))
	}
	if slices.Contains(mechanisms, "GSSAPI") {
		flags = append(flags, b.fill("-Djava.security.krb5.conf={krb5}"),
			// Up to 2.0 brokers ask a class for the default realm that Java hides since 9.
			"--add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED")
	}
	return flags
}
