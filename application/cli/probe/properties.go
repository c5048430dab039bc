package probe

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"brokerconn/application/properties"
)

// The flag -F reads files of properties and -X sets one property; later files replace
// earlier ones, and -X replaces all files. HOST:PORT, --client-id and --timeout replace
// both, and the software name of kafkaprobe is replaced by either. HOST:PORT may be omitted
// if the properties name exactly one broker. Keys that do not concern a connection are
// ignored, so that the file of a producer can be used.

// propertyFlags are the values of these flags.
type propertyFlags struct {
	files, assignments []string
	dialect            string
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
	set := make([]properties.Property, len(a.properties.assignments))
	for i, s := range a.properties.assignments {
		set[i], err = properties.Assignment(s)
		problems = append(problems, err)
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
	for _, i := range settings.Ignored {
		if a.properties.strict && i.Suspect {
			problems = append(problems, &properties.Error{Key: i.Key, Where: i.Where, Problem: i.Why})
		}
	}
	if err := badProperties(problems...); err != nil {
		return err
	}
	a.settings = settings
	return nil
}

// withAddress returns args with the broker of the properties as the first argument, unless
// HOST:PORT is given.
func (a *app) withAddress(args []string, required int) ([]string, error) {
	if len(args) == required {
		return args, nil
	}
	var names []string
	for _, s := range a.settings.Servers {
		names = append(names, s.String())
	}
	switch len(names) {
	case 1:
		return append(names, args...), nil
	case 0:
		return nil, usagef("%s is not given, and the properties name no broker", addressArgument)
	}
	return nil, usagef("%s is not given, and the properties name %d brokers: choose one of %s",
		addressArgument, len(names), strings.Join(names, ", "))
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
