package probe

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"brokerconn/adapters/tls"
	"brokerconn/application/broker"
	"brokerconn/ports"
)

// The exit codes. Scripts rely on them: a meaning never changes.
const (
	exitOK             = 0
	exitFailed         = 1   // the broker answered an error, or a check failed
	exitUsage          = 2   // the command line is invalid; no connection was made
	exitDNS            = 10  // the host has no address
	exitTCP            = 11  // the address was not reached, or the connection was lost
	exitTLS            = 12  // TLS failed, or the port expects TLS
	exitProtocol       = 13  // not Kafka, or an invalid answer
	exitAuthentication = 14  // the login failed
	exitTimeout        = 15  // a time limit passed
	exitInterrupted    = 130 // as in shells, for SIGINT
)

// exitCode returns the code of an error. Of errors that wrap each other the outer one
// decides: a timeout whose last attempt was refused is a timeout. A check that failed wraps
// no error, so that its code is exitFailed.
func exitCode(err error) int {
	switch e, failed := errors.AsType[*broker.Error](err); {
	case err == nil:
		return exitOK
	case errors.Is(err, errInterrupted):
		return exitInterrupted
	case wraps[*usageError](err), wraps[*propertiesError](err):
		return exitUsage
	case failed:
		return exitCodeOf(e)
	case wraps[*timeoutError](err):
		return exitTimeout
	}
	return exitFailed
}

// wraps reports whether err or an error that it wraps is an E.
func wraps[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// kindCodes are the exit codes of a broker.Error by its Kind, which may be more than one of
// these: the first counts.
var kindCodes = []struct {
	kind error
	code int
}{
	{broker.ErrTLSExpected, exitTLS}, {broker.ErrTLS, exitTLS},
	{broker.ErrAuthentication, exitAuthentication}, {broker.ErrReauthentication, exitAuthentication},
	{broker.ErrProtocol, exitProtocol},
	{broker.ErrResolve, exitDNS}, {broker.ErrDial, exitTCP},
	{broker.ErrTimeout, exitTimeout}, {broker.ErrCanceled, exitTimeout},
	{broker.ErrEncode, exitUsage},
	{broker.ErrUnsupportedVersion, exitFailed},
}

func exitCodeOf(e *broker.Error) int {
	if e.Kind == broker.ErrSetupTimeout && e.Phase == broker.Connecting && e.Address != "" {
		return exitTCP // no answer to the dial
	}
	for _, row := range kindCodes {
		switch {
		case !errors.Is(e.Kind, row.kind):
		case row.code == exitProtocol && wraps[*broker.BrokerError](e.Cause):
			return exitFailed // an error code is an answer in Kafka's protocol
		default:
			return row.code
		}
	}
	lost := errors.Is(e.Kind, broker.ErrConnection)
	switch inner, ok := errors.AsType[*broker.Error](e.Cause); {
	case lost && !ok && wraps[*broker.BrokerError](e.Cause):
		return exitFailed
	case ok:
		return exitCodeOf(inner) // refused or closed because of an earlier failure
	case lost && e.Phase == broker.NegotiatingVersions:
		return exitProtocol // closed by the peer when it was asked for its API versions
	case lost && e.Phase == broker.Authenticating:
		return exitAuthentication // brokers before 1.0 reject a login in this way
	case lost, errors.Is(e.Kind, broker.ErrNotReady):
		return exitTCP
	}
	return exitFailed
}

// errInterrupted is returned when the context of Run ends.
var errInterrupted = errors.New("interrupted")

// timeoutError is the cause of a context that ends by --timeout.
type timeoutError struct{ after time.Duration }

func (e *timeoutError) Error() string { return fmt.Sprintf("--timeout of %v has passed", e.after) }

// usageError is an invalid command line.
type usageError struct {
	problem string
	help    string // the command whose help explains it
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

// errorDocument is the answer of a command that failed, as JSON.
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
	API      string          `json:"api,omitempty"`
	Version  *int16          `json:"version,omitempty"`
	Sent     string          `json:"sent,omitempty"`
	Request  int             `json:"request_bytes,omitempty"`
	Response int             `json:"response_bytes,omitempty"`
	Hint     string          `json:"hint,omitempty"`
	Answered []answeredError `json:"answered,omitempty"`
	Problems []problemInfo   `json:"problems,omitempty"`
}

func describe(err error) *errorInfo {
	if err == nil {
		return nil
	}
	info := &errorInfo{Message: err.Error(), ExitCode: exitCode(err), Hint: hintOf(err)}
	if e := new(broker.Error); errors.As(err, &e) {
		info.Kind, info.Phase = e.Kind.Error(), e.Phase.String()
		info.Broker, info.Address = e.Broker, e.Address
		info.API, info.Request, info.Response = e.API, e.RequestBytes, e.ResponseBytes
		if e.API != "" {
			info.Sent = e.Sent.String()
		}
		if e.API != "" && e.Version >= 0 {
			info.Version = &e.Version
		}
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

// lines returns the lines of an error for standard error. The hint is the last one.
func lines(err error) (all []string) {
	problems := []error{err}
	if bad, ok := errors.AsType[*propertiesError](err); ok {
		problems = bad.problems
	}
	for _, problem := range problems {
		all = append(all, oneLine(problem.Error()))
	}
	if hint := hintOf(err); hint != "" {
		all = append(all, oneLine("hint: "+hint))
	}
	return all
}

// hintOf returns what to change, "" if nothing is known.
func hintOf(err error) string {
	if e, ok := errors.AsType[*broker.Error](err); ok {
		return e.Hint
	}
	if h := ports.Hinter(nil); errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

// oneLine returns s as one line without control characters: s may quote a peer.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}
