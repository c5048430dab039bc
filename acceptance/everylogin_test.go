//go:build acceptance && matrix

package acceptance

import "testing"

// securedAges are releases with different features of SASL and TLS.
var securedAges = []string{"4.4.0", "3.9.2", "2.8.2", "2.0.1", "1.0.2", "0.10.2.2", "0.10.0.1", "0.9.0.1"}

// TestEveryLogin is the whole matrix, which make sasl-matrix prints.
func TestEveryLogin(t *testing.T) {
	saslMatrix(t, securedAges...)
}
