package properties

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"brokerconn/adapters/httpconnect"
	"brokerconn/adapters/netlink"
	"brokerconn/adapters/netlink/tunnel"
	"brokerconn/adapters/socks5"
	"brokerconn/adapters/tcp"
	"brokerconn/adapters/tls"
	"brokerconn/ports"
)

// transport returns the way to the broker, with TLS over it if the protocol says so. The
// error joins *Errors that name the keys.
func (s *Settings) transport() (*netlink.Transport, error) {
	if !s.Security.TLS() {
		return s.Way(), nil
	}
	t, err := tls.New(s.Way(), s.tlsOptions())
	return t, s.rejectedTLS(err)
}

// Inspector returns one that looks at the TLS of a broker as a connection with these
// settings would have it, over the Way, whatever Security says. It reads the files that
// TLS names. The error joins an *Error for each setting that cannot be used.
func (s *Settings) Inspector() (*tls.Inspector, error) {
	i, err := tls.NewInspector(s.Way().Dial, s.tlsOptions())
	return i, s.rejectedTLS(err)
}

func (s *Settings) tlsOptions() tls.Options {
	o := s.TLS
	if o.Clock == nil {
		o.Clock = s.Connection.Clock
	}
	return o
}

// rejectedTLS names the keys of the options that the adapter rejects.
func (s *Settings) rejectedTLS(err error) error {
	var problems []error
	for _, each := range unjoined(err) {
		k, problem := securityKey, each.Error()
		if e := new(tls.OptionError); errors.As(each, &e) {
			if problem = e.Err.Error(); keyOf(s.Dialect, "tls.Options."+e.Option) != nil {
				k = keyOf(s.Dialect, "tls.Options."+e.Option)
			}
		}
		problems = append(problems, &Error{Key: k.name(s.Dialect), Problem: problem})
	}
	return errors.Join(problems...)
}

// unjoined returns the errors that errors.Join put together, at any depth.
func unjoined(err error) (all []error) {
	joined, ok := err.(interface{ Unwrap() []error })
	switch {
	case err == nil:
		return nil
	case !ok:
		return []error{err}
	}
	for _, each := range joined.Unwrap() {
		all = append(all, unjoined(each)...)
	}
	return all
}

var pemBlock = regexp.MustCompile(`(?s)-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END ([A-Z0-9 ]+)-----`)

// unfolded returns PEM with its line ends, which values of properties often lack: Java
// accepts spaces for them, and shells leave "\n" as it is. A block with headers, as that of
// a key encrypted in the older way, needs its own.
func unfolded(text string) string {
	text = strings.ReplaceAll(text, `\n`, "\n")
	return pemBlock.ReplaceAllStringFunc(text, func(block string) string {
		parts := pemBlock.FindStringSubmatch(block)
		if strings.Contains(parts[2], ":") {
			return block
		}
		body := strings.Join(strings.Fields(parts[2]), "\n")
		return "\n-----BEGIN " + parts[1] + "-----\n" + body + "\n-----END " + parts[3] + "-----\n"
	})
}

// Warnings are about settings that are valid and not safe. Those about the verification of
// the broker are also reported by broker.Hooks.Warning of a connection with these settings.
func (s *Settings) Warnings() (all []string) {
	all = s.TLS.Warnings()
	if u, err := url.Parse(s.SASL.OAuth.TokenURL); err == nil && u.Scheme == "http" && s.SASL.OAuth.AllowHTTP {
		all = append(all, "the token endpoint is asked over http: an eavesdropper on the way reads the client's "+
			"secret and the tokens")
	}
	for _, err := range s.literal {
		all = append(all, err.Error())
	}
	for _, i := range s.Ignored {
		if i.Suspect {
			all = append(all, i.String())
		}
	}
	return all
}

// Proxy is the proxy on the way to the broker. The zero value means no proxy.
type Proxy struct {
	Kind    ProxyKind
	Address string // host:port
	// Username and Password are the login. If both are empty, there is no login.
	Username string
	Password ports.Secret
	// ResolveHere looks the broker's name up here and sends the proxy an address. If false,
	// the proxy is sent the name.
	ResolveHere bool
}

// ProxyKind is the protocol of a proxy.
type ProxyKind uint8

const (
	NoProxy ProxyKind = iota
	SOCKS5
	HTTPConnect
)

var proxyKindNames = [...]string{"none", "SOCKS5", "HTTP CONNECT"}

func (k ProxyKind) String() string { return nameOf(proxyKindNames[:], uint8(k), "kind of proxy") }

const proxyForm = "socks5://host:port, socks5h:// to have the proxy resolve names, or http://; user:password@ " +
	"before the host if it wants a login"

// proxy reads a URL. It may have a password, so errors show no more than its scheme. Unlike
// in kafka-python "%40" in a login is an "@", as in any URL.
func proxy(p *Property) (proxy Proxy, err error) {
	u, err := url.Parse(value(p))
	if err != nil || u.Host == "" {
		return proxy, fmt.Errorf("not the URL of a proxy: %s", proxyForm)
	}
	password, _ := u.User.Password()
	proxy = Proxy{Address: u.Host, Username: u.User.Username(), Password: ports.NewSecret(password)}
	switch u.Scheme {
	case "socks5":
		proxy.Kind, proxy.ResolveHere = SOCKS5, true
	case "socks5h":
		proxy.Kind = SOCKS5
	case "http":
		proxy.Kind = HTTPConnect
	case "https":
		return proxy, errors.New("a proxy over TLS has no key: set Config.Transport in Go, as package httpconnect says")
	default:
		return proxy, fmt.Errorf("%q is not a scheme for a proxy: %s", u.Scheme, proxyForm)
	}
	switch {
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return proxy, fmt.Errorf("more than host and port: %s", proxyForm)
	case u.Port() == "":
		return proxy, errors.New("the port is missing; 1080 is usual for SOCKS5, 3128 and 8080 for HTTP")
	}
	return proxy, proxy.check()
}

func (p Proxy) check() error {
	if p.Kind == SOCKS5 {
		return socks5.Check(p.options())
	}
	return httpconnect.Check(p.options())
}

func (p Proxy) options() tunnel.Options {
	return tunnel.Options{Proxy: p.Address, Login: tunnel.NewLogin(p.Username, p.Password.Reveal())}
}

// Way returns the transport without encryption: TCP, or through the Proxy. Sockets are the
// options of the connection to the proxy if there is one.
func (s *Settings) Way() *netlink.Transport {
	o := s.Proxy.options()
	if s.Proxy.ResolveHere {
		o.Lookup = tcp.Lookup(s.Sockets)
	}
	switch s.Proxy.Kind {
	case NoProxy:
		return tcp.New(s.Sockets)
	case SOCKS5:
		return socks5.New(tcp.Dial(s.Sockets), o)
	case HTTPConnect:
		return httpconnect.New(tcp.Dial(s.Sockets), o)
	}
	panic("properties: " + s.Proxy.Kind.String())
}
