package probe

import (
	"io"

	"github.com/spf13/cobra"
)

// Command makes a command of another package. It follows the rules of this package: it writes its
// answer to the output of the command, with the flag json as one document, and returns errors for
// its exit code and standard error. An error of Args or PreRunE is one of the command line. An
// error that has a method Documented was written as a part of the document.
//
// progress is the terminal on which the command may show what it waits for; nil without one.
type Command func(progress io.Writer) *cobra.Command

func (a *app) progressTo() io.Writer {
	if !a.terminal {
		return nil
	}
	return a.raw
}

// adopt applies --timeout, if it is given, to c and the commands below it, and notes that one was
// started.
func (a *app) adopt(c *cobra.Command) *cobra.Command {
	for _, sub := range c.Commands() {
		a.adopt(sub)
	}
	if run := c.RunE; run != nil {
		c.RunE = func(cmd *cobra.Command, args []string) error {
			a.running = true
			if a.timed {
				ctx, cancel := a.limited(cmd.Context())
				defer cancel()
				cmd.SetContext(ctx)
			}
			err := run(cmd, args)
			a.documented = a.documented || wraps[documented](err)
			return err
		}
	}
	return c
}

// documented is an error that a command has written as a part of its document.
type documented interface {
	error
	Documented()
}
