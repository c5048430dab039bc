package properties

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"brokerconn/adapters/sasl/gssapi"
	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/adapters/tcp"
	"brokerconn/adapters/tls"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Settings are the values of properties: read, typed and consistent. Each struct in it is
// that of the package that uses it.
type Settings struct {
	// Dialect is the one given, or guessed. It is Java if all keys are among those that Java
	// shares with librdkafka.
	Dialect Dialect

	// Servers are the brokers named, in their order. Config takes at most one.
	Servers []Server

	// Connection has the fields of broker.Config. If it has a Transport or Authenticators,
	// Config keeps them; otherwise they are made of the fields below.
	Connection broker.Config
	// Sockets are the options of TCP.
	Sockets tcp.Options
	// Proxy is the proxy on the way to the broker.
	Proxy Proxy

	// MetricGroupPrefix is the prefix for the names of metrics.
	MetricGroupPrefix string

	// Security says whether there is TLS, and whether there is a login.
	Security Protocol
	// TLS is zero unless Security.TLS(), or read by ReadForTLS.
	TLS tls.Options
	// SASL is zero unless Security.SASL(), and if read by ReadForTLS.
	SASL SASL

	// Ignored are the keys without an effect, by name: those that concern producers,
	// consumers and clusters, those that other keys leave without use, as sasl_mechanism is
	// without a SASL protocol, and those that a later source replaces by another key, as host
	// does bootstrap_servers. Of another program's keys the Suspect ones are a warning.
	Ignored []Ignored

	given []given // for Lines
	// literal are the values with a placeholder that no client replaces.
	literal []error
}

// Server is one broker.
type Server struct {
	Host string
	Port uint16
}

func (s Server) String() string { return net.JoinHostPort(s.Host, strconv.Itoa(int(s.Port))) }

// Ignored is a key without an effect.
type Ignored struct {
	Key, Where string
	Why        string
	// Suspect: it was probably meant to have an effect. It is a key of another program, as
	// of a broker, of Kafka Streams or of Spring, or an option that a login module does not
	// have. Settings.Warnings has a line for it.
	Suspect bool
}

// String returns its place, its key and why it is ignored.
func (i Ignored) String() string {
	return (&Error{Key: label(i.Key), Where: i.Where, Problem: "ignored: " + i.Why}).Error()
}

// Protocol says how a connection is protected.
type Protocol uint8

const (
	Plaintext Protocol = iota
	SSL
	SASLPlaintext
	SASLSSL
)

var protocolNames = [...]string{"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"}

func (p Protocol) String() string { return nameOf(protocolNames[:], uint8(p), "protocol") }

// ProtocolOf returns the protocol that the address of a broker is written with, as in
// "SASL_SSL://host:port"; ok is false without one. Another scheme is the name of a
// listener, which says nothing about its protocol.
func ProtocolOf(address string) (p Protocol, ok bool) {
	for i, name := range protocolNames {
		if strings.EqualFold(name, broker.Scheme(address)) {
			return Protocol(i), true
		}
	}
	return Plaintext, false
}

func nameOf(names []string, i uint8, what string) string {
	if int(i) < len(names) {
		return names[i]
	}
	return fmt.Sprintf("unknown %s %d", what, i)
}

// TLS reports whether the connection is encrypted.
func (p Protocol) TLS() bool { return p == SSL || p == SASLSSL }

// SASL reports whether there is a login.
func (p Protocol) SASL() bool { return p == SASLPlaintext || p == SASLSSL }

// SASL are the settings of the login.
type SASL struct {
	// Mechanism is PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, GSSAPI or OAUTHBEARER.
	Mechanism string
	// Login is for SCRAM, and with its Username and Password for PLAIN.
	Login scram.Options
	// Kerberos is for GSSAPI.
	Kerberos gssapi.Options
	// OAuth is for OAUTHBEARER.
	OAuth OAuth
}

// OAuth are the settings of OAUTHBEARER with a token endpoint, or with a file that has the
// token: then TokenURL begins with file:///.
type OAuth struct {
	oauthbearer.ClientCredentials
	// Extensions are sent with each token (KIP-342).
	Extensions map[string]string
	// CAFile, or CAPEM itself, has the certificates that are trusted for the endpoint. If
	// both are empty, they are the system's. CAFile may be a folder of such files, or a
	// store of Java with a CAPassword.
	CAFile, CAPEM string
	CAPassword    ports.Secret
	// AssertionFile is a file with the assertion that is sent in place of the secret.
	// Without it, one is made with Claims and signed with the private key, as PEM in
	// KeyFile or in KeyPEM. KeyPassphrase opens it if it is encrypted.
	AssertionFile string
	Claims        oauthbearer.Assertion
	KeyFile       string
	KeyPEM        ports.Secret
	KeyPassphrase ports.Secret
	// Algorithm is RS256 or ES256; if empty, it is that of the key.
	Algorithm string
	// TemplateFile is a JSON object with "header" and "payload", objects that are added
	// to the header and to the claims.
	TemplateFile string
}

// Config returns the configuration of a connection. It reads the files that TLS and the
// login name. More than one of Servers is an error, since a connection is to one broker: set
// Servers to one after the other. The error joins an *Error for each setting that cannot be
// used.
func (s *Settings) Config() (broker.Config, error) {
	var problems []error
	if len(s.Servers) > 1 {
		var names []string
		for _, server := range s.Servers {
			names = append(names, server.String())
		}
		problems = append(problems, &Error{Key: serversKey.name(s.Dialect), Problem: fmt.Sprintf(
			"%d brokers: %s; a connection has one: name it alone", len(names), strings.Join(names, ", "))})
	}
	cfg := s.Connection
	if cfg.Transport == nil {
		transport, err := s.transport()
		if problems = append(problems, err); err == nil {
			cfg.Transport = transport
		}
	}
	if len(cfg.Authenticators) == 0 && s.Security.SASL() {
		login, err := s.authenticator()
		cfg.Authenticators, problems = []ports.Authenticator{login}, append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return broker.Config{}, errors.Join(unjoined(err)...)
	}
	if len(s.Servers) == 1 {
		cfg.Host, cfg.Port = s.Servers[0].Host, s.Servers[0].Port
	}
	return cfg, nil
}
