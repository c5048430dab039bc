package properties

import (
	"errors"
	"regexp"
	"strings"

	"brokerconn/adapters/netlink"
	"brokerconn/adapters/tls"
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

// Warnings are about settings that are valid and not safe.
func (s *Settings) Warnings() (all []string) {
	if s.TLS.AnyCertificate {
		all = append(all, "the broker's certificate is not verified: any server is accepted as the broker, and "+
			"receives the login")
	}
	return all
}
