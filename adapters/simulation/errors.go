package simulation

import (
	"syscall"

	"brokerconn/ports"
)

// Errors of links, as the system reports them. They match by errors.Is the error numbers of
// package syscall; their texts are the same on every platform.
var (
	ErrRefused     error = systemError{"connection refused", syscall.ECONNREFUSED}
	ErrReset       error = systemError{"connection reset by peer", syscall.ECONNRESET}
	ErrUnreachable error = systemError{"no route to host", syscall.EHOSTUNREACH}
)

type systemError struct {
	text   string
	number syscall.Errno
}

func (e systemError) Error() string { return e.text }

func (e systemError) Is(target error) bool { return target == e.number }

// notSecured is the error of a handshake that failed.
type notSecured struct{ error }

func (e notSecured) Is(target error) bool { return target == ports.ErrSecuring }

func (e notSecured) Unwrap() error { return e.error }
