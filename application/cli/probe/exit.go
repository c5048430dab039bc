package probe

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"brokerconn/adapters/tls"
	"brokerconn/application/broker"
)

// The exit codes. Scripts and probes rely on them: a meaning never changes.
const (
	exitOK             = 0
	exitFailed         = 1   // the broker answered an error, or a check failed
	exitUsage          = 2   // the command line is wrong; nothing was connected to
	exitDNS            = 10  // the host has no address
	exitTCP            = 11  // the address was not reached, or the connection was lost
	exitTLS            = 12  // TLS failed, or is what the port wants
	exitProtocol       = 13  // not Kafka, or Kafka's protocol broken
	exitAuthentication = 14  // the login failed
	exitTimeout        = 15  // a time limit passed
	exitInterrupted    = 130 // as shells have it for SIGINT
)

// exitCode finds the code of an error. Where errors lie within each other the
// outer one decides, since it tells what was being done: a timeout whose last
// attempt was refused is a timeout.
func exitCode(err error) int {
	var (
		usage   *usageError
		bad     *propertiesError
		timeout *timeoutError
		answer  *answerError
		e       *broker.Error
	)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case errors.As(err, &usage), errors.As(err, &bad):
		return exitUsage
	case errors.As(err, &answer), errors.Is(err, errCheck):
		return exitFailed
	case errors.As(err, &e):
		return exitCodeOf(e)
	case errors.As(err, &timeout):
		return exitTimeout
	}
	return exitFailed
}

func exitCodeOf(e *broker.Error) int {
	is := func(kind error) bool { return errors.Is(e.Kind, kind) }
	var answer *broker.BrokerError
	switch {
	case is(broker.ErrTLSExpected), is(broker.ErrTLS):
		return exitTLS
	case is(broker.ErrAuthentication), is(broker.ErrReauthentication):
		return exitAuthentication
	case is(broker.ErrProtocol):
		if errors.As(e.Cause, &answer) {
			return exitFailed // it spoke Kafka well, to say no
		}
		return exitProtocol
	case is(broker.ErrResolve):
		return exitDNS
	case is(broker.ErrDial):
		return exitTCP
	case is(broker.ErrTimeout), is(broker.ErrCanceled):
		return exitTimeout
	case is(broker.ErrEncode):
		return exitUsage
	case is(broker.ErrUnsupportedVersion):
		return exitFailed
	}
	if inner := new(broker.Error); errors.As(e.Cause, &inner) {
		return exitCodeOf(inner) // refused or closed because of an earlier failure
	}
	switch {
	case is(broker.ErrConnection) && e.Phase == broker.NegotiatingVersions:
		return exitProtocol // reached, and it went away when spoken to
	case is(broker.ErrConnection) && e.Phase == broker.Authenticating:
		return exitAuthentication // how brokers before 1.0 refuse a login
	case is(broker.ErrConnection), is(broker.ErrNotReady):
		return exitTCP
	}
	return exitFailed
}

var (
	// errInterrupted: the context of Run ended.
	errInterrupted = errors.New("interrupted")
	// errCheck: what a command was to find out is not so.
	errCheck = errors.New("check failed")
)

// checkError is an errCheck in words of its own.
type checkError struct {
	text  string
	cause error // may be nil
}

func checkf(cause error, format string, args ...any) error {
	return &checkError{fmt.Sprintf(format, args...), cause}
}

func (e *checkError) Error() string {
	if e.cause == nil {
		return e.text
	}
	return e.text + ": " + e.cause.Error()
}

func (*checkError) Is(target error) bool { return target == errCheck }

// timeoutError is what ends the context of a command.
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string { return fmt.Sprintf("--timeout of %v is over", e.after) }

// usageError is a command line that cannot be carried out.
type usageError struct {
	problem string
	help    string // the command whose help tells more
}

func usagef(format string, args ...any) error {
	return &usageError{problem: fmt.Sprintf(format, args...)}
}

func (e *usageError) Error() string {
	if e.help == "" {
		return e.problem
	}
	return fmt.Sprintf("%s (see: %s --help)", e.problem, e.help)
}

// forCommand adds to a usageError where to look.
func forCommand(err error, command *cobra.Command) error {
	var usage *usageError
	if errors.As(err, &usage) && usage.help == "" {
		usage.help = command.CommandPath()
	}
	return err
}

// asUsage makes a usageError of whatever cobra refused.
func asUsage(err error, command *cobra.Command) error {
	var usage *usageError
	if !errors.As(err, &usage) {
		err = usagef("%v", err)
	}
	return forCommand(err, command)
}

// errorDocument is an error alone, as JSON.
type errorDocument struct {
	Error *errorInfo `json:"error"`
}

// errorInfo is an error as JSON.
type errorInfo struct {
	Message  string          `json:"message"`
	ExitCode int             `json:"exit_code"`
	Kind     string          `json:"kind,omitempty"`
	Reason   string          `json:"reason,omitempty"` // of TLS
	Phase    string          `json:"phase,omitempty"`
	Broker   string          `json:"broker,omitempty"`
	Address  string          `json:"address,omitempty"`
	Hint     string          `json:"hint,omitempty"`
	Answered []answeredError `json:"answered,omitempty"`
	Problems []problemInfo   `json:"problems,omitempty"`
}

func describe(err error) *errorInfo {
	if err == nil {
		return nil
	}
	info := &errorInfo{Message: err.Error(), ExitCode: exitCode(err)}
	if e := new(broker.Error); errors.As(err, &e) {
		info.Kind, info.Phase = e.Kind.Error(), e.Phase.String()
		info.Broker, info.Address, info.Hint = e.Broker, e.Address, e.Hint
	}
	if e := new(tls.Error); errors.As(err, &e) {
		info.Reason = e.Reason.String()
	}
	if e := new(answerError); errors.As(err, &e) {
		info.Answered = e.all
	}
	if e := new(propertiesError); errors.As(err, &e) {
		info.Problems = e.describe()
	}
	return info
}

// lines are those that an error takes on standard error.
func lines(err error) (all []string) {
	var bad *propertiesError
	if !errors.As(err, &bad) {
		return []string{oneLine(err.Error())}
	}
	for _, problem := range bad.problems {
		all = append(all, oneLine(problem.Error()))
	}
	return all
}

// oneLine makes one line of s, without anything that a terminal would obey: the
// words may be a peer's.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
