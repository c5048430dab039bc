package properties

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"brokerconn/ports"

	"brokerconn/adapters/tcp"
	"brokerconn/application/broker"
)

// Settings are what properties came to: read, typed and consistent.
type Settings struct {
	// Dialect is the one given, or guessed. Java where the keys are those that it
	// shares with librdkafka.
	Dialect Dialect

	// Servers are the brokers named, in their order. Config wants at most one.
	Servers []Server

	// Connection has all that is a field of broker.Config. Config returns it with
	// Host and Port of the server, and unless it has a Transport with one over TCP,
	// through the Proxy, and over TLS where Security says so; unless it has
	// Authenticators with the login of SASL, where Security says so.
	Connection broker.Config
	// Sockets are options of the transport.
	Sockets tcp.Options
	// Proxy is what the way leads through.
	Proxy Proxy

	// MetricGroupPrefix is "metric_group_prefix", for the names of metrics.
	MetricGroupPrefix string

	Security Protocol
	TLS      TLS  // zero unless Security.TLS(), or read by ReadForTLS
	SASL     SASL // zero unless Security.SASL(), and if read by ReadForTLS

	// Ignored are the keys without an effect, in their order: those that concern
	// producers, consumers and whole clusters, those that the others leave without
	// use, as sasl_mechanism is without a SASL protocol, and those whose place a
	// later source takes by another key, as host does that of bootstrap_servers.
	Ignored []Ignored
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
}

// Protocol is "security_protocol".
type Protocol uint8

const (
	Plaintext Protocol = iota
	SSL
	SASLPlaintext
	SASLSSL
)

var protocolNames = [...]string{"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"}

func (p Protocol) String() string {
	if int(p) < len(protocolNames) {
		return protocolNames[p]
	}
	return fmt.Sprintf("unknown protocol %d", uint8(p))
}

// TLS reports whether the connection is encrypted.
func (p Protocol) TLS() bool { return p == SSL || p == SASLSSL }

// SASL reports whether there is a login.
func (p Protocol) SASL() bool { return p == SASLPlaintext || p == SASLSSL }

// TLS are the settings of encryption. The zero value trusts the system's
// authorities and verifies the chain and the host's name.
type TLS struct {
	// CAFile, or CAPEM itself, has the certificates that are trusted, as PEM.
	// Neither: the system's.
	CAFile, CAPEM string
	// CertFile and KeyFile, or CertPEM and KeyPEM themselves, are the client's
	// certificate with its chain, and its key, as PEM. CertFile may be KeyFile.
	CertFile, KeyFile string
	CertPEM           string
	KeyPEM            ports.Secret
	// KeyPassword decrypts the key.
	KeyPassword ports.Secret
	// CRLFile has revocation lists, PEM or DER. "": none is looked at.
	CRLFile string
	// Ciphers is a list in OpenSSL's language, CipherSuites one of names as IANA
	// has them. At most one is set; none: those of crypto/tls.
	Ciphers      string
	CipherSuites []string
	// MinVersion and MaxVersion are crypto/tls's numbers. 0: its defaults.
	MinVersion, MaxVersion uint16
	// AnyHost leaves out the check of the host's name, AnyCertificate that of the
	// chain and of the name.
	AnyHost, AnyCertificate bool
}

// SASL are the settings of the login.
type SASL struct {
	// Mechanism is PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, GSSAPI or OAUTHBEARER.
	Mechanism string
	// Username and Password are for PLAIN and SCRAM.
	Username string
	Password ports.Secret
	// DelegationToken: Username is a token's id and Password its HMAC; SCRAM only.
	DelegationToken bool

	Kerberos Kerberos // for GSSAPI
	OAuth    OAuth    // for OAUTHBEARER
}

// Kerberos are the settings of GSSAPI.
type Kerberos struct {
	ServiceName string // "kafka" unless given
	DomainName  string // "": the host dialled
	Principal   string // who logs in; "": that of the ticket cache
	Keytab      string // a file; "": the ticket cache
	TicketCache string // a file; "": as the environment says
}

// OAuth are the settings of a token endpoint (client credentials, RFC 6749 4.4).
type OAuth struct {
	TokenURL      string // https
	ClientID      string
	ClientSecret  ports.Secret
	Scope         string
	Extensions    map[string]string // KIP-342
	CAFile, CAPEM string            // whom to trust about the endpoint; neither: the system's authorities
}

// Config is the configuration of a connection. It reads the files that TLS and the login
// name. The error joins an *Error for each setting that cannot be carried out.
func (s *Settings) Config() (broker.Config, error) {
	var problems []error
	if len(s.Servers) > 1 {
		problems = append(problems, &Error{Key: serversKey.name(s.Dialect), Problem: fmt.Sprintf("%d brokers: %s; one connection goes to one of them: name it alone", len(s.Servers), s.serverList())})
	}
	cfg := s.Connection
	if cfg.Transport == nil {
		transport, bad := s.transport()
		cfg.Transport, problems = transport, append(problems, bad...)
	}
	if len(cfg.Authenticators) == 0 {
		login, bad := s.authenticator()
		if problems = append(problems, bad...); login != nil {
			cfg.Authenticators = []ports.Authenticator{login}
		}
	}
	if err := errors.Join(problems...); err != nil {
		return broker.Config{}, err
	}
	if len(s.Servers) == 1 {
		cfg.Host, cfg.Port = s.Servers[0].Host, s.Servers[0].Port
	}
	return cfg, nil
}

func (s *Settings) serverList() string {
	var names []string
	for _, server := range s.Servers {
		names = append(names, server.String())
	}
	return strings.Join(names, ", ")
}
