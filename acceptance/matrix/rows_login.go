package matrix

import "brokerconn/application/broker"

// Faults of logins and of TLS.

const (
	noLogin   = "there is no login in this phase"
	noTLS     = "the verdicts of a handshake come with it, or with the first answer behind it"
	tls13     = "@650ms; set tls true; set handshake 400ms; "
	noKDC     = "the GSSAPI of application/sim is a script that has no KDC"
	oneOffer  = "the broker of application/sim offers no security layer: plans have no verb for it"
	noSession = "there is no session to renew"
)

// refused is a login that the broker or the client refuses.
func refused(kind error, text string) Want { return loginLost(kind, text).final() }

// scramCells are the messages of a server of SCRAM that a client must not accept (RFC 5802).
func scramCells(verb, text string) []Cell {
	return cells(
		in("A", "set mechanism SCRAM-SHA-256; "+verb, refused(broker.ErrAuthentication, text)),
		in("K", "set mechanism SCRAM-SHA-256; "+verb, renewal(text)))
}

func tlsFails(n string, w Want) []Cell { return in("T", "0s tls-fails "+n+" 300ms", w) }

var loginRows = []Row{
	{20, "handshake error 33: mechanism", cells(
		in("H", "no-mechanism 2", refused(broker.ErrUnsupportedMechanism, "SCRAM-SHA-256")),
		in("K", "no-mechanism 2", renewal("SCRAM-SHA-256"))),
		[]Absence{{"DTVARFC", noLogin}}},
	{21, "authentication error 58", cells(
		in("A", "deny 100ms", refused(broker.ErrAuthentication, "error 58")),
		in("K", "deny 500ms", renewal("error 58"))),
		[]Absence{{"DTVHRFC", noLogin}}},
	{22, "SCRAM: weak or huge i, nonce, signature, extension", cells(
		scramCells("weak-iterations", "iterations"),
		scramCells("huge-iterations", "iterations"),
		scramCells("bad-nonce", "nonce"),
		scramCells("extension", "extension"),
		scramCells("bad-proof", ""),
		scramCells("no-proof", ""),
		scramCells("server-error", "other-error")),
		[]Absence{{"DTVHRFC", noLogin}}},
	{23, "OAUTHBEARER: error JSON, expired, no token, slow provider", cells(
		in("A", "set mechanism OAUTHBEARER; 0s refused-token 800ms 1",
			refused(broker.ErrAuthentication, "insufficient_scope")),
		in("A", "@0s; set mechanism OAUTHBEARER; expired-token 700ms", refused(broker.ErrAuthentication, "expired")),
		in("A", "@0s; set mechanism OAUTHBEARER; no-token 700ms", refused(broker.ErrAuthentication, "issuer")),
		in("A", "set mechanism OAUTHBEARER; 0s slow-credentials 9s", loginLost(broker.ErrSetupTimeout, "")),
		in("K", "set mechanism OAUTHBEARER; 1900ms refused-token 1s 1", renewal("insufficient_scope")),
		noted("another token is asked for once, on the same connection",
			in("K", "set mechanism OAUTHBEARER; 1900ms refused-token 500ms 1", unharmed())),
		noted("the token in hand is still valid",
			in("K", "set mechanism OAUTHBEARER; 1900ms no-token 500ms", unharmed()))),
		[]Absence{{"DTVHRFC", noLogin}}},
	{24, "GSSAPI: wrong key, no proof of the server, no ticket, clock skew, layer required", cells(
		in("A", "set mechanism GSSAPI; bad-proof", refused(broker.ErrAuthentication, "")),
		in("A", "set mechanism GSSAPI; deny 100ms", refused(broker.ErrAuthentication, "error 58")),
		in("A", "set mechanism GSSAPI; 0s slow-credentials 9s", loginLost(broker.ErrSetupTimeout, "")),
		in("K", "set mechanism GSSAPI; bad-proof", renewal("")),
		inBubbleAlone(noKDC, cells(
			in("A", "@0s; set mechanism GSSAPI; no-ticket 700ms", refused(broker.ErrAuthentication, "no ticket")),
			in("A", "@0s; set mechanism GSSAPI; clock-skew 700ms",
				refused(broker.ErrAuthentication, "the clocks are too far apart")),
			in("K", "set mechanism GSSAPI; 1900ms no-ticket 500ms", renewal("no ticket")),
			in("K", "set mechanism GSSAPI; 1900ms clock-skew 500ms", renewal("the clocks are too far apart")))),
		inBubbleAlone(oneOffer, cells(
			in("A", "set mechanism GSSAPI; 0s requires-layer 1500ms",
				refused(broker.ErrAuthentication, "security layer")),
			in("K", "set mechanism GSSAPI; requires-layer 1s", renewal("security layer"))))),
		[]Absence{{"DTVHRFC", noLogin}}},
	{25, "TLS: certificate, host, authority, revocation, version, alert", cells(
		tlsFails("0", unready(broker.ErrTLS, "internal error")),
		tlsFails("1", unready(broker.ErrTLS, "the broker's certificate has expired")),
		tlsFails("2", unready(broker.ErrTLS, "the broker's certificate is not for this host")),
		tlsFails("3", unready(broker.ErrTLS, "not signed by a trusted authority")),
		tlsFails("4", unready(broker.ErrTLS, "the broker's certificate is revoked")),
		tlsFails("5", unready(broker.ErrTLS, "revocation list of the broker certificate's issuer has expired")),
		tlsFails("6", unready(broker.ErrTLS, "no TLS version in common")),
		tlsFails("7", unready(broker.ErrTLS, "no cipher suite in common")),
		tlsFails("8", unready(broker.ErrTLS, "requires a client certificate").final()),
		tlsFails("9", unready(broker.ErrTLS, "rejects the client certificate").final()),
		noted("with TLS 1.3 the client has finished its side before the broker has its certificate", cells(
			in("V", tls13+"tls-alert 8", unready(broker.ErrTLS, "requires a client certificate").final()),
			in("V", tls13+"tls-alert 9", unready(broker.ErrTLS, "rejects the client certificate").final())))),
		[]Absence{{"DHARFKC", noTLS}}},
	{26, "plaintext client and TLS broker, and the other way", cells(
		in("T", "0s tls-fails 10 300ms", unready(broker.ErrTLS, "does not speak TLS")),
		wired("V", "replace 0 15030300020228",
			in("V", "0s tls-port 40 300ms", unready(broker.ErrTLSExpected, "TLS").final()))),
		[]Absence{{"D", noConnection}, {"HARFKC", "the first bytes show it"}}},
	{27, "session over, with requests in the pipeline",
		in("K", "set lifetime 3s; 1900ms send 10; 2030ms send 10; +1s send 10; +2s send 10; +3s send 10",
			unharmed()),
		[]Absence{{"DTVHARFC", noSession}}},
	{28, "reauthentication fails with requests in flight", cells(
		judging(in("K", "2s deny 500ms; 1990ms send 10; 1990ms send 10", renewal("error 58")), 4),
		judging(in("K", "2s deny 500ms; 1990ms send 10; 1990ms send 10", renewal("error 58").fate(Answered)), 2, 3)),
		[]Absence{{"DTVHARFC", noSession}}},
}
