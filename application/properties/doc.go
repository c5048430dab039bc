// Package properties makes a configuration of a connection out of keys and
// values, under the names of kafka-python, of Kafka's Java client or of
// librdkafka.
//
//	file, err := properties.ReadFile("client.properties")
//	...
//	settings, err := properties.Read(properties.Guess, file)
//	...
//	cfg, err := settings.Config()
//	...
//	conn, err := broker.Dial(ctx, cfg)
//
// Everything that is wrong is told at once, each with the key, where it stands
// and what would be right. What is not given has this library's default, also
// where the client whose name it is has another. Keys that concern producers,
// consumers or clusters are accepted and do nothing: Settings.Ignored.
//
// Files are read as dialect and format say (file.go). Relative names of files are
// taken from where the process runs.
//
// What asks for a protection that the connection would not have is refused: a
// key for TLS or a login, with a security protocol that has no use for it. Modes
// with nothing behind them, such as a mechanism alone, are passed over, and so are
// keys of another mechanism than the one that logs in.
//
// A password is in no error and in no print of any type here.
//
// # Settings
//
// What kafka-python's BrokerConnection has, and where it is here. Config and Hooks
// are those of package broker. PLAIN and SCRAM are carried out, with names and
// passwords as they are written, GSSAPI with tickets of the user's cache unless there is
// a keytab, OAUTHBEARER with the tokens of an endpoint.
//
//	kafka-python                           here                                                                           default                      deviation
//	host                                   Config.Host                                                                    localhost                    had no default
//	port                                   Config.Port                                                                    9092                         had no default
//	afi                                    tcp.Options.AddressFamily                                                      any                          -
//	client_id                              Config.ClientID                                                                brokerconn- and the version  at most 249 bytes
//	reconnect_backoff_ms                   Config.ReconnectBackoff                                                        50 ms                        counted from the failure, not from the attempt; at least 1 ms
//	reconnect_backoff_max_ms               Config.ReconnectBackoffMax                                                     1 s                          refused where less than the former, which meant no growth
//	request_timeout_ms                     Config.RequestTimeout, WithRequestTimeout, Conn.SendWithin, Polled.SendWithin  30 s                         setup has its own, Config.SetupTimeout; throttled time is not counted
//	max_in_flight_requests_per_connection  Config.MaxInFlight                                                             5                            Conn.Request waits in line instead of failing
//	receive_buffer_bytes                   tcp.Options.ReceiveBufferBytes                                                 the system's                 does not leak into other connections
//	send_buffer_bytes                      tcp.Options.SendBufferBytes                                                    the system's                 does not leak into other connections
//	socket_options                         tcp.Options.SocketOptions                                                      TCP_NODELAY                  added to the default, not in its place
//	security_protocol                      properties.Settings.Security                                                   PLAINTEXT                    keys for a protection that it does not give are refused
//	ssl_context                            tls.Options.Config                                                             none                         in Go only
//	ssl_check_hostname                     properties.TLS.AnyHost                                                         true                         the field is the opposite
//	ssl_cafile                             properties.TLS.CAFile                                                          the system's                 -
//	ssl_certfile                           properties.TLS.CertFile                                                        none                         refused without a key, where both were left out
//	ssl_keyfile                            properties.TLS.KeyFile                                                         none                         refused without a certificate, where both were left out
//	ssl_password                           properties.TLS.KeyPassword                                                     none                         as text; in Go a function, tls.Options.KeyPassword; refused without a key
//	ssl_crlfile                            properties.TLS.CRLFile                                                         none                         DER as well
//	ssl_ciphers                            properties.TLS.Ciphers                                                         crypto/tls's                 those of TLS 1.3 cannot be chosen
//	api_version                            Config.APIVersion                                                              the broker is asked          any release, patch numbers too; the default was (0, 8, 2)
//	api_version_auto_timeout_ms            Config.APIVersionTimeout                                                       2 s                          of each time that a connection is made, not of a constructor
//	selector                               Config.Selector                                                                of the clock and the link    in Go only; a port, for Polled
//	state_change_callback                  Hooks.StateChanged                                                             none                         in Go only; told from, to, address and error
//	metrics                                Config.Metrics                                                                 none                         in Go only; sensors.Registry is kafka-python's
//	metric_group_prefix                    sensors.New, properties.Settings.MetricGroupPrefix                             empty                        -
//	sasl_mechanism                         properties.SASL.Mechanism                                                      none                         -
//	sasl_plain_username                    properties.SASL.Username                                                       none                         -
//	sasl_plain_password                    properties.SASL.Password                                                       none                         printed redacted
//	sasl_kerberos_service_name             properties.Kerberos.ServiceName                                                kafka                        -
//	sasl_kerberos_domain_name              properties.Kerberos.DomainName                                                 the host dialled             -
//	sasl_oauth_token_provider              Config.Authenticators                                                          none                         in Go only
//
// # Methods
//
//	kafka-python              Polled                  Conn                     deviation
//	blacked_out               Polled.BlackedOut       Conn.BlackedOut          the pause is counted from the failure
//	can_send_more             Polled.CanSendMore      Conn.CanSendMore         -
//	check_version             Polled.CheckVersion     Conn.CheckVersion        a Verdict with its evidence; Low.Tuple() is the tuple; silence is never taken for an answer
//	close                     Polled.Close            Conn.Close, Conn.Abort   Conn's are final; without an error the backoff does not grow, and requests fail with ErrClosed
//	connect                   Polled.Connect          Conn.Connect             Conn's waits, for as long as its context
//	connected                 Polled.Connected        Conn.Connected           -
//	connecting                Polled.Connecting       Conn.Connecting          -
//	connection_delay          Polled.ConnectionDelay  Conn.ConnectionDelay     "forever" is a second result, not a large number
//	disconnected              Polled.Disconnected     Conn.Disconnected        -
//	recv                      Polled.Recv             Future.Wait              bytes that come with the end are kept; Futures are done when returned
//	send                      Polled.Send             Conn.Send, Conn.Request  -
//	send_pending_requests     Polled.SendPending      -                        a Conn writes by itself
//	send_pending_requests_v2  Polled.SendPendingV2    -                        true only if nothing at all is left; a Conn writes by itself
package properties
