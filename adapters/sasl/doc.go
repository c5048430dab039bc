// Package sasl holds what the mechanisms below it share: how a login whose steps
// take their time is an exchange that never blocks, and how credentials are given.
//
//	plain        PLAIN (RFC 4616)
//	scram        SCRAM-SHA-256, SCRAM-SHA-512 (RFC 5802, RFC 7677)
//	oauthbearer  OAUTHBEARER (RFC 7628, KIP-255, KIP-342)
//	gssapi       GSSAPI with Kerberos 5 (RFC 4752)
//	franz        any mechanism written for franz-go
//
// Each of them is a [ports.Authenticator]. A program links the libraries of those
// that it imports, and no others.
package sasl
