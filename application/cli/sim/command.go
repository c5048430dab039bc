// Package sim is the command "kafkaprobe sim": it runs the simulation of application/sim, replays and
// shrinks plans, and draws charts of them. It follows the rules of application/cli/probe.
package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/spf13/cobra"
)

// Command makes the command. progress is a terminal on which it shows how far it is, or nil.
func Command(progress io.Writer) *cobra.Command {
	c := &campaign{terminal: progress, every: time.Second}
	return c.command()
}

func (c *campaign) command() *cobra.Command {
	cmd := &cobra.Command{
		Use: "sim", Short: "Run connections in a simulated world, seed by seed, and explain failures",
		Long: `sim runs connections against a model broker in a simulated world, without a socket and without
waiting: each seed is another run, with its own settings, requests and faults. After each step
of a run its invariants are checked. At the first failure sim prints the invariant, the seed,
the command that reproduces it, the shortest plan that it finds with the same failure, and
what happens in it as a sequence chart. The exit code is then 1.

A plan is text with one operation or fault in each line: it can be edited, kept and replayed.`,
		Example: `  kafkaprobe sim --seeds 100000
  kafkaprobe sim --for 10m --from 1000000
  kafkaprobe sim plan 7 > seven.plan
  kafkaprobe sim replay seven.plan
  kafkaprobe sim chart seven.plan --svg seven.svg`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("sim has no command %q", args[0])
			}
			return c.validate(cmd.Flags().Changed("seeds"))
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	flags := cmd.Flags()
	flags.Uint64Var(&c.seeds, "seeds", 10_000,
		"how many seeds to run; with --for and without --seeds there is no limit")
	flags.Uint64Var(&c.from, "from", 0, "the first seed")
	flags.DurationVar(&c.limit, "for", 0, "how long to run seeds; 0: no limit")
	flags.IntVar(&c.parallel, "parallel", runtime.GOMAXPROCS(0), "how many seeds to run at the same time")
	cmd.AddCommand(planCommand(), replayCommand(), shrinkCommand(), chartCommand(), stormCommand())
	return cmd
}

// answer writes the answer of a command: doc with --json, otherwise text.
func answer(cmd *cobra.Command, doc any, text string) error {
	if asJSON(cmd) {
		enc := json.NewEncoder(cmd.OutOrStdout())
		enc.SetEscapeHTML(false)
		return enc.Encode(doc)
	}
	_, err := io.WriteString(cmd.OutOrStdout(), text)
	return err
}

func asJSON(cmd *cobra.Command) bool {
	on, err := cmd.Flags().GetBool("json")
	return err == nil && on
}

// await returns the result of work, or the cause of ctx's end: a run has no point at which it could
// be interrupted.
func await[T any](ctx context.Context, work func() T) (result T, err error) {
	done := make(chan T, 1)
	go func() { done <- work() }()
	select {
	case result = <-done:
		return result, nil
	case <-ctx.Done():
		return result, context.Cause(ctx)
	}
}

// documentedError is an error that the document of an answer includes.
type documentedError struct{ error }

func (e documentedError) Documented()   {}
func (e documentedError) Unwrap() error { return e.error }

// failed returns err for the exit code. With --json the document has it.
func failed(cmd *cobra.Command, err error) error {
	if asJSON(cmd) {
		return documentedError{err}
	}
	return err
}

var errNoPlan = errors.New("it needs the file of a plan, or - for standard input")
