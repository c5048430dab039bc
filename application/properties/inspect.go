package properties

import (
	"errors"

	"brokerconn/adapters/tls"
)

// Inspector looks at the TLS of a broker as a connection with these settings would
// have it, over the Way and whatever Security says. It reads the files that TLS
// names. The error joins an *Error for each setting that cannot be carried out.
func (s *Settings) Inspector() (*tls.Inspector, error) {
	i, err := tls.NewInspector(s.Way().Dial, s.TLS.options(s.Connection.Clock))
	if err != nil {
		return nil, errors.Join(s.ofTLS(err)...)
	}
	return i, nil
}
