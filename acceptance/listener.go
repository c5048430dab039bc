package acceptance

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Listener is the name of a listener of a broker.
type Listener string

const (
	Plaintext     Listener = "PLAINTEXT"
	SSL           Listener = "SSL"
	SSLClientAuth Listener = "SSL_CLIENT_AUTH" // SSL, and a client must show a certificate
	SASLPlaintext Listener = "SASL_PLAINTEXT"
	SASLSSL       Listener = "SASL_SSL"
	// Reauth is SASLPlaintext with sessions of SessionLifetime (KIP-368), from Kafka 2.2 on.
	Reauth Listener = "REAUTH"
)

// protocol is the security protocol of the listener.
func (l Listener) protocol() Listener {
	switch l {
	case SSLClientAuth:
		return SSL
	case Reauth:
		return SASLPlaintext
	}
	return l
}

func (l Listener) secure() bool { return l.protocol() == SSL || l.protocol() == SASLSSL }
func (l Listener) sasl() bool   { return l.protocol() == SASLPlaintext || l.protocol() == SASLSSL }

// name is what a release calls the listener.
func (rel *release) name(l Listener) Listener {
	if rel.named {
		return l
	}
	return l.protocol()
}

// check returns an error if a release cannot have these listeners together.
func (rel *release) check(listeners []Listener) error {
	seen := make(map[Listener]Listener)
	secure := 0
	for _, l := range listeners {
		if !slices.Contains(rel.listeners, l) {
			return fmt.Errorf("acceptance: Kafka %s has no listener %s", rel.from, l)
		}
		if twin, twice := seen[rel.name(l)]; twice {
			return fmt.Errorf("acceptance: a broker of Kafka %s cannot have both listeners %s and %s",
				rel.from, twin, l)
		}
		seen[rel.name(l)] = l
		if l.secure() {
			secure++
		}
	}
	if slices.Contains(listeners, SSLClientAuth) && secure > 1 && !rel.named {
		return fmt.Errorf("acceptance: a broker of Kafka %s demands certificates on all secure listeners or on none",
			rel.from)
	}
	return nil
}

// listenerTexts are the values of the properties listeners and
// listener.security.protocol.map.
func (b *Broker) listenerTexts() (listeners, protocols string) {
	var names, maps []string
	for _, l := range b.listeners {
		names = append(names, fmt.Sprintf("%s://%s", b.release.name(l), b.AddrOf(l)))
		maps = append(maps, fmt.Sprintf("%s:%s", b.release.name(l), l.protocol()))
	}
	return strings.Join(names, ","), strings.Join(maps, ",")
}

// security is the server's configuration for its listeners; the files that it names
// are written.
func (b *Broker) security() (properties map[string]string, err error) {
	properties = make(map[string]string)
	if slices.ContainsFunc(b.listeners, Listener.secure) {
		stores, err := b.makeStores()
		if err != nil {
			return nil, err
		}
		maps.Copy(properties, stores)
	}
	if slices.Contains(b.listeners, SSLClientAuth) {
		properties[b.prefix(SSLClientAuth)+"ssl.client.auth"] = "required"
	}
	if slices.ContainsFunc(b.listeners, Listener.sasl) {
		logins, err := b.logins()
		if err != nil {
			return nil, err
		}
		maps.Copy(properties, logins)
	}
	return properties, nil
}

// prefix is the start of the key of a setting for one listener; it is empty for releases
// without such settings.
func (b *Broker) prefix(l Listener) string {
	if !b.release.named {
		return ""
	}
	return "listener.name." + strings.ToLower(string(l)) + "."
}
