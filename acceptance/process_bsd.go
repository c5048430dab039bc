//go:build unix && !linux

package acceptance

import "syscall"

// There is no signal for the death of a parent here: a test process that is
// killed leaves its broker behind.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// stopped takes the signal's word: threads cannot be asked without more than the
// standard library.
func stopped(int) bool { return true }
