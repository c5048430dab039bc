//go:build unix && !linux

package acceptance

import "syscall"

// These systems send no signal when a parent dies: a test process that is killed leaves
// its broker behind.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// stopped trusts the signal: the standard library cannot read the state of threads here.
func stopped(int) bool { return true }
