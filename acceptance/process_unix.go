//go:build unix

package acceptance

import "syscall"

func (p *process) stop() error    { return p.cmd.Process.Signal(syscall.SIGSTOP) }
func (p *process) carryOn() error { return p.cmd.Process.Signal(syscall.SIGCONT) }
