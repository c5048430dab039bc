package probe

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
)

// What the commands have in common: their arguments, the broker that they ask, and their time.

// runFunc is the work of a command.
type runFunc func(ctx context.Context, args []string) error

// command completes c, whose Use names its arguments. All of them are required, but
// HOST:PORT may come from the properties.
func (a *app) command(c *cobra.Command, run runFunc) *cobra.Command {
	required := strings.Fields(c.Use)[1:]
	connects := len(required) > 0 && required[0] == addressArgument
	if connects {
		a.properties.declare(c)
	}
	if connects && c.Name() != "tls" { // which sends no request
		c.Flags().StringVar(&a.clusterID, "cluster-id", "",
			"the cluster that is expected, with --node-id; brokers before Kafka 4.4 do not compare it")
		c.Flags().Int32Var(&a.nodeID, "node-id", -1, "the number of the broker that is expected, with --cluster-id")
	}
	c.Args = func(_ *cobra.Command, args []string) error {
		required := required
		if connects && a.properties.given() && len(args) < len(required) {
			required = required[1:]
		}
		switch {
		case len(args) < len(required):
			return usagef("%s needs %s", c.Name(), strings.Join(required[len(args):], " and "))
		case len(args) > len(required):
			return usagef("%s takes no further argument: %q", c.Name(), args[len(required)])
		}
		return nil
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		a.running = true
		if a.terminal && !a.json {
			a.progress.start(a.raw, a.progressEvery)
		}
		brokers := ""
		if connects && len(args) == len(required) {
			brokers = args[0]
		}
		err := a.readProperties(brokers)
		if err == nil && connects {
			args, err = a.withAddress(args, len(required))
		}
		if err == nil && connects {
			args[0], err = a.choose(cmd.Context(), splitBrokers(args[0]))
		}
		if err == nil {
			err = run(cmd.Context(), args)
		}
		return err
	}
	return c
}

// withTimeout returns run with its context limited by --timeout.
func (a *app) withTimeout(run runFunc) runFunc {
	return func(ctx context.Context, args []string) error {
		ctx, cancel := a.limited(ctx)
		defer cancel()
		return run(ctx, args)
	}
}

// limited limits ctx by --timeout.
func (a *app) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, a.timeout-a.spent, &timeoutError{a.timeout})
}
