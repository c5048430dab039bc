// Package properties makes a configuration of a connection out of keys and values, under
// the names of kafka-python, of Kafka's Java client or of librdkafka.
//
//	file, err := properties.ReadFile("client.properties")
//	...
//	settings, err := properties.Read(properties.Guess, file)
//	...
//	cfg, err := settings.Config()
//	...
//	conn, err := broker.Dial(ctx, cfg)
//
// All problems are reported at once, each with the key, its place and what is valid. A
// setting that is not given has the default of this library, also where the client whose
// name it has uses another one; only the mechanism of a login is then that client's own, GSSAPI
// with Java and librdkafka. Keys of producers, consumers and clusters are accepted and
// have no effect: Settings.Ignored. Keys of other programs that read such files, as brokers,
// Kafka Streams and Spring, have a line in Settings.Warnings as well.
//
// Files are read as file.go describes, values as the client of the dialect reads them
// (dialect.go): a value that the client refuses is an error. Relative names of files begin at the working directory.
//
// A key that asks for a protection that the connection would not have is rejected: one of
// TLS or of a login, with a security protocol without it. Keys that ask for nothing by
// themselves, such as a mechanism alone, are ignored, and so are keys of another mechanism
// than the one that logs in.
//
// Two keys are this library's own, and no client has them: probe_old_releases, and
// ssl_server_name (Java and librdkafka: ssl.server.name), the name that TLS sends and verifies
// in place of the host. A server written with a security protocol, "SSL://host:9093", sets
// that protocol, or must agree with security_protocol.
//
// Placeholders in Java's values, ${file:...}, ${dir:...} and ${env:...}, are replaced if
// config.providers declares their providers. In the values of other clients, and without a
// provider, they are rejected.
//
// Two keys of OAUTHBEARER are this library's own, and no client has them: with
// sasl.oauthbearer.audience the request for a token has the parameter "audience", and
// sasl.oauthbearer.allow.http permits a token endpoint at http:// that is not on loopback.
//
// No error and no printed value of a type of this package shows a password.
//
// # A key, from the file to its use
//
// Each key is a row in keys_connection.go, keys_tls.go, keys_sasl.go or keys_oauth.go: its names,
// and the field that it sets. Defaults and bounds are rows of the package that owns the field
// (ports/setting). Five functions handle a value: Parse reads it from the file, Read finds
// its key, assign sets the field by its type, Settings.Config hands the structs on, and
// broker.Dial fills in the defaults.
//
// # Settings
//
// What configures kafka-python's BrokerConnection, and where it is here. Config and Hooks
// are those of package broker. The README has the deviations, and all keys in the names of
// the three clients.
//
//	kafka-python                           here                                           default
//	host                                   Config.Host                                    localhost
//	port                                   Config.Port                                    9092
//	afi                                    tcp.Options.AddressFamily                      any
//	client_id                              Config.ClientID                                brokerconn-0.1.0
//	reconnect_backoff_ms                   Config.ReconnectBackoff                        50 ms
//	reconnect_backoff_max_ms               Config.ReconnectBackoffMax                     1 s
//	request_timeout_ms                     Config.RequestTimeout                          30 s
//	max_in_flight_requests_per_connection  Config.MaxInFlight                             5
//	receive_buffer_bytes                   tcp.Options.ReceiveBufferBytes                 the system's
//	send_buffer_bytes                      tcp.Options.SendBufferBytes                    the system's
//	socket_options                         tcp.Options.SocketOptions                      none
//	security_protocol                      properties.Settings.Security                   PLAINTEXT
//	ssl_context                            tls.Options.Config                             none
//	ssl_check_hostname                     tls.Options.AnyHost                            true
//	ssl_cafile                             tls.Options.CAFile                             the system's
//	ssl_certfile                           tls.Options.CertFile                           none
//	ssl_keyfile                            tls.Options.KeyFile                            none
//	ssl_password                           tls.Options.KeyPassword                        none
//	ssl_crlfile                            tls.Options.CRLFile                            none
//	ssl_ciphers                            tls.Options.Ciphers, tls.Options.CipherSuites  crypto/tls's
//	api_version                            Config.APIVersion                              the broker is asked
//	api_version_auto_timeout_ms            Config.APIVersionTimeout                       none, 2 s for a Polled
//	selector                               Config.Selector                                of the clock and the link
//	state_change_callback                  Hooks.StateChanged                             none
//	metrics                                Config.Metrics                                 none
//	metric_group_prefix                    properties.Settings.MetricGroupPrefix          none
//	sasl_mechanism                         properties.SASL.Mechanism                      none
//	sasl_plain_username                    scram.Options.Username                         none
//	sasl_plain_password                    scram.Options.Password                         none
//	sasl_kerberos_service_name             gssapi.Options.ServiceName                     kafka
//	sasl_kerberos_domain_name              gssapi.Options.DomainName                      the host connected to
//	sasl_oauth_token_provider              Config.Authenticators                          none
//
// # Methods
//
//	kafka-python              Polled                  Conn
//	blacked_out               Polled.BlackedOut       Stats.BackoffUntil
//	can_send_more             Polled.CanSendMore      Stats.InFlight
//	check_version             Polled.CheckVersion     Conn.CheckVersion
//	close                     Polled.Close            Conn.Close, Conn.Abort
//	connect                   Polled.Connect          Conn.Connect
//	connected                 Polled.Connected        Conn.State
//	connecting                Polled.Connecting       Conn.State
//	connection_delay          Polled.ConnectionDelay  Stats.BackoffUntil
//	disconnected              Polled.Disconnected     Conn.State
//	recv                      Polled.Recv             Future.Wait
//	send                      Polled.Send             Conn.Request, Conn.Send
//	send_pending_requests     Polled.SendPending      -
//	send_pending_requests_v2  Polled.SendPendingV2    -
package properties
