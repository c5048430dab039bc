// Package broker is one connection to one Apache Kafka broker.
//
// [Dial] returns a [Conn], which many goroutines may use. [NewPolled] returns a [Polled]
// for a program with an event loop of its own. Both connect, negotiate API versions,
// authenticate, pipeline requests and match responses; both work with every release of
// Kafka from 0.8.0 on.
//
//	conn, err := broker.Dial(ctx, broker.Config{Host: "127.0.0.1"})
//	if err != nil {
//		return err
//	}
//	defer conn.Close()
//	resp, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, conn)
//
// # Requests
//
// A Conn is a kmsg.Requestor: each request of franz-go's package kmsg has a method
// RequestWith that returns its typed response. The version is the highest that the broker
// and kmsg have in common. Up to Config.MaxInFlight requests are in flight; further callers
// wait in a queue, first come, first served.
//
//   - [Conn.Request] sends a message and waits for its response.
//   - [Conn.RequestRaw] does so for a body that is already encoded, for proxies.
//   - [Conn.RequestRawFunc] calls a function with the body of the response, which it must not keep.
//   - [Conn.Send] returns a [Future] at once, or the error that refused the request.
//   - [Conn.SendWait] waits in the queue and returns a Future when the request is sent.
//
// Future.Wait returns the response, Future.Done a channel for select, and Future.Cancel
// gives the request up. A Future needs no closing.
//
// A response that Request, RequestRaw or Future.Wait returns is in memory of its own, and may be
// kept. RequestRawFunc and Future.WaitFunc lend its body instead, in memory that the connection uses
// for later responses: for programs that decode, check, write or count a body and then need it no
// more, most of all a large one.
//
// A request that expects no response, such as Produce with acks 0, is done when it is
// written. See the examples of Dial, Conn.Send and Conn.RequestRaw.
//
// # Errors and retries
//
// Every error of a Conn or a Polled is an [*Error] or wraps one, except for those of Config.
// It has the kind of the failure, the state of the connection, the address, the request and how
// much of it had been sent, the cause, and often a hint. Its text is one line, without the hint;
// Error.Explain returns all of it, and log/slog gets its fields. Ask errors.Is for a kind, such
// as [ErrConnection], [ErrRequestTimeout] or [ErrAuthentication].
//
// [Retriable] reports whether the same request may succeed later. [SafeToRetry] reports in
// addition that the broker cannot have acted on it: it was refused, or cut off before its
// last byte was sent. A response with an error code of Kafka's is a response, not an error.
// See the example of Error.
//
// # Timeouts
//
// A context ends the wait of its caller and nothing else: the connection is kept, and the
// response is dropped when it arrives. Config.RequestTimeout ends the connection, because a
// response that may still come would be taken for another's; [WithRequestTimeout] replaces
// it for one request, [WithTimeout] for one of a Polled. The time in the queue counts, the
// time during which the broker throttles the connection does not. Config.SetupTimeout is the
// limit from the lookup of the host until the connection is ready, Config.APIVersionTimeout
// that of version negotiation within it, if it is set.
//
// # Reconnecting
//
// A Conn connects on demand. If the connection is lost, requests in flight fail, those in
// the queue wait, and the next request or the queue connects again, after a backoff if the
// connection failed: Config.ReconnectBackoff, doubled with each failure up to
// Config.ReconnectBackoffMax. All addresses of the host are tried before one failure counts.
// [Conn.Connect] waits until requests are admitted, Config.NoReconnect makes the first loss
// final. An idle connection is closed after Config.IdleTimeout, before the broker or a load
// balancer does it; Config.PingInterval keeps it.
//
// [Conn.Drain] finishes the requests of before and closes, [Conn.Close] closes at once,
// [Conn.Abort] does so with a cause. [Conn.Done] reports the end. See the example of
// Conn.Connect.
//
// # TLS and SASL
//
// TLS is a transport: tls.New of adapters/tls, which wraps any dial function. SASL is a list
// of authenticators, one for each mechanism that may be used, from the packages of
// adapters/sasl: plain, scram, oauthbearer, gssapi, and franz for the mechanisms of
// franz-go.
//
//	cfg.Transport, err = tls.New(tcp.New(tcp.Options{}), tls.Options{CAFile: "ca.pem"})
//	login, err := scram.New(scram.SHA512, scram.Options{Username: "alice", Password: secret})
//	cfg.Authenticators = []ports.Authenticator{login}
//
// If the broker limits the lifetime of a login (KIP-368), the connection authenticates
// again in time, between two requests. [Conn.SetAuthenticators] replaces credentials at run
// time, [Conn.Reauthenticate] uses them at once. No text, error or log shows a secret.
// Config.RequireTLSForPasswords refuses to send a password without TLS, or to a broker that
// is not verified.
//
// # Hooks and metrics
//
// [Hooks] are functions that are called for each step: states, dialing, handshakes, logins,
// requests, throttling, warnings. Package application/logging makes Hooks that write to a
// slog.Logger. [Conn.Stats] returns a snapshot with counts, for a health page or expvar.
// Config.Metrics takes a ports.MetricsSink: adapters/metrics has one for Prometheus, one with
// kafka-python's names, and one that counts. See the examples of Hooks and Conn.Stats.
//
// # Polled
//
// A [Polled] is used by one goroutine at a time and starts none: its methods do what can be
// done without blocking. A loop connects, sends, receives, and waits for NextDeadline or for
// what Watch reports. Its methods are those of kafka-python's BrokerConnection, which the
// documentation of application/properties lists beside their names here.
//
// # Custom ports
//
// Everything outside of the process is an interface of package ports, and a field of
// [Config]: Transport, Authenticators, Codec, Clock, Metrics and, for a Polled, Selector. A
// transport is often one function: &netlink.Transport{Dial: dial}. Package ports/porttest
// checks an implementation. With another Codec, messages that are not kmsg's are sent by
// Conn.Send. See the examples of Config.
//
// # Testing
//
// With adapters/memory as the Transport, adapters/clock/fake as the Clock and a Rand that
// returns a constant, a Polled is deterministic and needs no time: see its example. A Conn
// works in a bubble of testing/synctest over any transport within the process.
package broker
