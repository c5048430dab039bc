// Package sasl holds what the SASL mechanisms share: Begin, which turns a function that
// may block into an exchange that does not, and Credentials.
//
//	plain        PLAIN (RFC 4616)
//	scram        SCRAM-SHA-256, SCRAM-SHA-512 (RFC 5802, RFC 7677)
//	oauthbearer  OAUTHBEARER (RFC 7628, KIP-255, KIP-342)
//	gssapi       GSSAPI with Kerberos 5 (RFC 4752); gssapi/krb5 is the Kerberos client
//	franz        any mechanism for franz-go
//
// Each of them is a [ports.Authenticator]. A program links only the libraries of the
// mechanisms that it imports.
//
// # Adding a mechanism
//
// Users can pass their own [ports.Authenticator] to broker.Config: see the example of
// [Begin]. A mechanism of this library takes these steps, with plain as the model:
//
//  1. adapters/sasl/NAME: Options, New, and a step for [Begin]; if an option has a
//     default or a bound, settings.go declares it, as in scram.
//  2. adapters/sasl/NAME tests: porttest.Authenticator, a hostile broker, a fuzz target
//     for the broker's messages, vectors of the RFC or of Kafka's own client.
//  3. domain/laws_test.go: a row of mayImport with the libraries of the package.
//  4. application/properties: keys_sasl.go for the name, the keys and what they require,
//     settings.go and key.go for new options, authenticator.go for New, jaas_login.go for
//     Java's login module; testdata for cases; rows_test.go and secret_test.go for Options.
//     validateSASL in keys_sasl.go takes a mechanism without a case for one with a password.
//     kafkaprobe needs no change.
//  5. acceptance: sasl.go and releases.go for brokers with the mechanism,
//     saslmatrix_test.go for a row of the matrix of logins.
//  6. application/broker/secrets_test.go, if the mechanism has a secret.
//  7. adapters/sasl/doc.go and README.md: the lists of mechanisms, packages and keys; make
//     api updates the golden of the API.
package sasl
