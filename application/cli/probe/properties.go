package probe

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"brokerconn/application/broker"
	"brokerconn/application/properties"
	"brokerconn/ports"
)

// The flag -F reads files of properties and -X sets one property; later files replace
// earlier ones, and -X replaces all files. HOST:PORT, --client-id and --timeout replace
// both, and the software name of kafkaprobe is replaced by either. HOST:PORT may be omitted
// if the properties name a broker. Keys that do not concern a connection are
// ignored, so that the file of a producer can be used.

// propertyFlags are the values of these flags.
type propertyFlags struct {
	files, assignments []string
	dialect            string
	serverName         string
	strict             bool
	onlyTLS            bool // the command inspects TLS and makes no connection
}

func (f *propertyFlags) given() bool { return len(f.files)+len(f.assignments) > 0 }

func (f *propertyFlags) declare(c *cobra.Command) {
	flags := c.Flags()
	flags.StringArrayVarP(&f.files, "properties", "F", nil,
		"read properties from `FILE`, with the names of kafka-python, Java or librdkafka; "+
			"later files replace earlier ones")
	flags.StringArrayVarP(&f.assignments, "property", "X", nil,
		"set a property, `KEY=VALUE`; replaces those of all -F; HOST:PORT, --client-id and --timeout, if given, "+
			"replace both; other users see it in the list of processes: put passwords into a file")
	flags.StringVar(&f.serverName, "server-name", "",
		"`NAME` that TLS sends as its server name (SNI), and that the certificate must be for, if it is not the "+
			"host of HOST:PORT; replaces ssl_server_name")
	flags.StringVar(&f.dialect, "dialect", "",
		"the client whose names the properties have: kafka-python, java or librdkafka; if not given, it is guessed")
	flags.BoolVar(&f.strict, "strict", false,
		"reject keys that other programs read, as brokers, Kafka Streams and Spring, instead of warning about them")
}

// propertiesError is all problems of the properties.
type propertiesError struct{ problems []error }

func (e *propertiesError) Error() string { return errors.Join(e.problems...).Error() }

func (e *propertiesError) Unwrap() []error { return e.problems }

// badProperties makes a propertiesError of all errors in errs, which may be nil or joined.
func badProperties(errs ...error) error {
	var all []error
	for _, err := range errs {
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			all = append(all, joined.Unwrap()...)
		} else if err != nil {
			all = append(all, err)
		}
	}
	if all == nil {
		return nil
	}
	return &propertiesError{all}
}

// readProperties sets a.settings. brokers is the HOST:PORT of the command line, which may
// give the security protocol; empty: it has none.
func (a *app) readProperties(brokers string) error {
	a.settings = &properties.Settings{}
	dialect, err := properties.ParseDialect(a.properties.dialect)
	if err != nil {
		return usagef("--dialect: %v", err)
	}
	if !a.properties.given() && !withProtocol(brokers) {
		return a.setServerName()
	}
	var sources [][]properties.Property
	var problems []error
	for _, name := range a.properties.files {
		source, err := properties.ReadFile(name)
		sources, problems = append(sources, source), append(problems, err)
	}
	set := make([]properties.Property, len(a.properties.assignments))
	for i, s := range a.properties.assignments {
		set[i], err = properties.Assignment(s)
		problems = append(problems, err)
	}
	if err := badProperties(problems...); err != nil {
		return err
	}
	sources = append(sources, set)
	if withProtocol(brokers) {
		key := "bootstrap_servers"
		if dialect == properties.Java || dialect == properties.Librdkafka || strings.Contains(keysOf(sources), ".") {
			key = "bootstrap.servers"
		}
		sources = append(sources, []properties.Property{{Key: key, Value: ports.NewSecret(brokers),
			Where: addressArgument}})
	}
	read := properties.Read
	if a.properties.onlyTLS {
		read = properties.ReadForTLS
	}
	settings, err := read(dialect, sources...)
	if err != nil {
		return badProperties(err)
	}
	for _, i := range settings.Ignored {
		if a.properties.strict && i.Suspect {
			problems = append(problems, &properties.Error{Key: i.Key, Where: i.Where, Problem: i.Why})
		}
	}
	if err := badProperties(problems...); err != nil {
		return err
	}
	a.settings = settings
	return a.setServerName()
}

// withProtocol reports whether the brokers of the command line have a security protocol, and
// can be read.
func withProtocol(brokers string) (found bool) {
	for _, address := range splitBrokers(brokers) {
		if _, _, err := broker.ParseAddress(address); err != nil {
			return false // config reports it
		}
		_, ok := properties.ProtocolOf(address)
		found = found || ok
	}
	return found
}

func keysOf(sources [][]properties.Property) (keys string) {
	for _, p := range slices.Concat(sources...) {
		keys += p.Key + " "
	}
	return keys
}

// setServerName takes the name of --server-name.
func (a *app) setServerName() error {
	name := a.properties.serverName
	if name == "" {
		return nil
	}
	host, _, err := broker.ParseAddress(name)
	switch {
	case err != nil || host != name:
		return usagef("--server-name: %q is not the name of a host alone", name)
	case !a.settings.Security.TLS() && !a.properties.onlyTLS:
		return usagef("--server-name: not used with %v: set security_protocol to SSL or SASL_SSL", a.settings.Security)
	}
	a.settings.TLS.ServerName = name
	return nil
}

// withAddress returns args with the brokers of the properties as the first argument, unless
// HOST:PORT is given.
func (a *app) withAddress(args []string, required int) ([]string, error) {
	if len(args) == required {
		return args, nil
	}
	var names []string
	for _, s := range a.settings.Servers {
		names = append(names, s.String())
	}
	if names == nil {
		return nil, usagef("%s is not given, and the properties name no broker", addressArgument)
	}
	return append([]string{strings.Join(names, ",")}, args...), nil
}

const addressArgument = "HOST:PORT"

// problemInfo is one problem as JSON.
type problemInfo struct {
	Key     string `json:"key,omitempty"`
	Where   string `json:"where,omitempty"`
	Message string `json:"message"`
}

func (e *propertiesError) describe() (all []problemInfo) {
	for _, problem := range e.problems {
		info := problemInfo{Message: problem.Error()}
		if p := new(properties.Error); errors.As(problem, &p) {
			info = problemInfo{p.Key, p.Where, p.Problem}
		}
		all = append(all, info)
	}
	return all
}
