package properties

import (
	"errors"

	"brokerconn/adapters/netlink"
	"brokerconn/adapters/tls"
)

// Way is the way to the broker without encryption: TCP, or through the Proxy.
func (s *Settings) Way() *netlink.Transport { return s.way() }

// Inspector looks at the TLS of a broker as a connection with these settings would
// have it, over the Way and whatever Security says. It reads the files that TLS
// names. The error joins an *Error for each setting that cannot be carried out.
func (s *Settings) Inspector() (*tls.Inspector, error) {
	i, err := tls.NewInspector(s.way().Dial, s.TLS.options(s.Connection.Clock))
	if err != nil {
		return nil, errors.Join(s.ofTLS(err)...)
	}
	return i, nil
}
