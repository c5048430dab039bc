package acceptance

import (
	"errors"
	"syscall"
)

func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

var errNoStop = errors.New("windows cannot pause a process: it has no SIGSTOP")

func (p *process) stop() error    { return errNoStop }
func (p *process) carryOn() error { return errNoStop }

func stopped(int) bool { return false }
