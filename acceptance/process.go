package acceptance

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"time"
)

// Every child of this package is started, watched and signalled here, and only
// through the os.Process that started it: never by a name, never by a number
// that may have become another process's. A child gets a process group of its
// own, so that a ^C in the terminal reaches the test process alone, which then
// ends its children in its own order.

// pipeDelay is how long the output of an ended child is read if a grandchild holds the
// pipe open.
const pipeDelay = 5 * time.Second

// process is one child. Its methods are safe for concurrent use.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the child is gone and reaped
	err  error         // how it ended; valid after done
}

func startProcess(cmd *exec.Cmd) (*process, error) {
	cmd.SysProcAttr = childAttributes()
	cmd.WaitDelay = pipeDelay
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// Linux kills the child when the thread that forked it dies, not the
		// process (golang.org/issue/27505). So the thread is kept for as long as
		// the child lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// StartChild starts a program that serves until kill, which ends it at once and returns
// when it is gone and its output is complete. On Linux the kernel does so when this process
// dies.
func StartChild(cmd *exec.Cmd) (kill func(), err error) {
	p, err := startProcess(cmd)
	if err != nil {
		return nil, err
	}
	return p.kill, nil
}

// run runs a child and returns its error. If ctx ends first, it kills the child.
func run(ctx context.Context, cmd *exec.Cmd) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p, err := startProcess(cmd)
	if err != nil {
		return err
	}
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		p.kill()
		return ctx.Err()
	}
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) alive() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// kill returns when the child is gone. A paused child is killed too.
func (p *process) kill() {
	// The only way to fail is that the child is gone already.
	_ = p.cmd.Process.Kill()
	<-p.done
}

// ended returns how a child that is gone ended.
func (p *process) ended() string {
	if p.err == nil {
		return "exit status 0"
	}
	return p.err.Error()
}

// pauseTimeout is how long the threads of a child may take to stop after SIGSTOP: each
// stops when it next enters the kernel.
const pauseTimeout = 10 * time.Second

// pause returns when every thread of the child has stopped, so that no later request is
// read.
func (p *process) pause() error {
	if err := p.stop(); err != nil {
		return fmt.Errorf("acceptance: pause: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), pauseTimeout)
	defer cancel()
	err := poll(ctx, p, func() bool { return stopped(p.pid()) })
	if err != nil {
		return fmt.Errorf("acceptance: process %d does not stop after SIGSTOP: %w", p.pid(), err)
	}
	return nil
}

// errEnded is the unexpected end of a child.
var errEnded = errors.New("the process ended")

// poll calls ask until it returns true, ctx ends, or the child ends (errEnded).
func poll(ctx context.Context, p *process, ask func() bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ask() {
		select {
		case <-tick.C:
		case <-p.done:
			return errEnded
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}
