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
package properties
