package probe

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"brokerconn/application/properties"
)

// Properties: -F reads files, -X sets one, later ones win and -X over all files.
// What the command line says itself wins over both: HOST:PORT, --client-id,
// --timeout. What kafkaprobe would say by itself, as its software name, loses.
// HOST:PORT may be left out where they name exactly one broker. Keys that concern no
// single connection are passed over without a word, so that the file of a producer
// does.

// propertyFlags are those of the flags.
type propertyFlags struct {
	files, assignments []string
	dialect            string
	onlyTLS            bool // no connection is made, TLS is looked at
}

func (f *propertyFlags) given() bool { return len(f.files)+len(f.assignments) > 0 }

func (f *propertyFlags) declare(c *cobra.Command) {
	flags := c.Flags()
	flags.StringArrayVarP(&f.files, "properties", "F", nil, "read properties from `FILE`, as kafka-python, Java or librdkafka name them; later files win over earlier ones")
	flags.StringArrayVarP(&f.assignments, "property", "X", nil, "set a property, `KEY=VALUE`; wins over all of -F; given, HOST:PORT, --client-id and --timeout win over both; others see it in the list of processes: passwords go into a file")
	flags.StringVar(&f.dialect, "dialect", "", "whose names the properties have: kafka-python, java or librdkafka; not given: guessed")
}

// propertiesError is everything that is wrong with the properties.
type propertiesError struct{ problems []error }

func (e *propertiesError) Error() string { return errors.Join(e.problems...).Error() }

func (e *propertiesError) Unwrap() []error { return e.problems }

// badProperties makes a propertiesError of a joined error.
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

// readProperties sets a.settings.
func (a *app) readProperties() error {
	a.settings = &properties.Settings{}
	dialect, err := properties.ParseDialect(a.properties.dialect)
	if err != nil {
		return usagef("--dialect: %v", err)
	}
	if !a.properties.given() {
		return nil
	}
	var sources [][]properties.Property
	var problems []error
	for _, name := range a.properties.files {
		source, err := properties.ReadFile(name)
		sources, problems = append(sources, source), append(problems, err)
	}
	var set []properties.Property
	for _, s := range a.properties.assignments {
		p, err := properties.Assignment(s)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		set = append(set, p)
	}
	if err := badProperties(problems...); err != nil {
		return err
	}
	read := properties.Read
	if a.properties.onlyTLS {
		read = properties.ReadForTLS
	}
	settings, err := read(dialect, append(sources, set)...)
	if err != nil {
		return badProperties(err)
	}
	a.settings = settings
	return nil
}

// withAddress puts the broker that the properties name before the arguments of a
// command that wants one more, and HOST:PORT first.
func (a *app) withAddress(args []string, wanted int) ([]string, error) {
	if len(args) == wanted {
		return args, nil
	}
	servers := a.settings.Servers
	if len(servers) == 1 {
		return slices.Concat([]string{servers[0].String()}, args), nil
	}
	if len(servers) == 0 {
		return nil, usagef("%s is not given, and the properties name no broker", addressArgument)
	}
	var names []string
	for _, s := range servers {
		names = append(names, s.String())
	}
	return nil, usagef("%s is not given, and the properties name %d brokers: say which, of %s", addressArgument, len(names), strings.Join(names, ", "))
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
