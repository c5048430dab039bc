package sim

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	engine "brokerconn/application/sim"
)

// The commands that concern one plan.

// maxPlan is the largest file of a plan that is read, in bytes.
const maxPlan = 16 << 20

// readPlan reads the plan of a file, or of standard input if its name is "-".
func readPlan(ctx context.Context, name string, stdin io.Reader) (engine.Plan, error) {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return engine.Plan{}, err
		}
		defer f.Close()
		in = f
	}
	type contents struct {
		text []byte
		err  error
	}
	all, err := await(ctx, func() contents { // nothing may ever come from standard input
		text, err := io.ReadAll(io.LimitReader(in, maxPlan+1))
		return contents{text, err}
	})
	text, err := all.text, cmp.Or(err, all.err)
	switch {
	case err != nil:
		return engine.Plan{}, err
	case len(text) > maxPlan:
		return engine.Plan{}, fmt.Errorf("%s is larger than %d MiB: it is no plan", name, maxPlan>>20)
	case bytes.HasPrefix(text, []byte("\xff\xfe")):
		return engine.Plan{}, fmt.Errorf("%s is text in UTF-16, as PowerShell writes it: save it as UTF-8", name)
	case bytes.IndexByte(text, 0) >= 0:
		return engine.Plan{}, fmt.Errorf("%s is not a text file", name)
	}
	return engine.ParsePlan(string(text))
}

// planned makes a command that reads a plan, which is its only argument.
func planned(c *cobra.Command, run func(*cobra.Command, engine.Plan) error) *cobra.Command {
	var plan engine.Plan
	c.Args = func(cmd *cobra.Command, args []string) (err error) {
		switch {
		case len(args) == 0:
			return errNoPlan
		case len(args) > 1:
			return fmt.Errorf("%s takes one plan, and no further argument: %q", c.Name(), args[1])
		}
		plan, err = readPlan(cmd.Context(), args[0], cmd.InOrStdin())
		return err
	}
	c.RunE = func(cmd *cobra.Command, _ []string) error { return run(cmd, plan) }
	return c
}

func planCommand() *cobra.Command {
	var seed uint64
	return &cobra.Command{
		Use: "plan SEED", Short: "Print the plan of a seed",
		Example: "  kafkaprobe sim plan 7 > seven.plan",
		Args: func(_ *cobra.Command, args []string) (err error) {
			if len(args) != 1 {
				return errors.New("plan needs one seed")
			}
			if seed, err = strconv.ParseUint(args[0], 0, 64); err != nil {
				return fmt.Errorf("%q is no seed: want a number from 0 to %d", args[0], uint64(1<<64-1))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error {
			plan := engine.Generate(seed).String()
			return answer(cmd, planDocument{plan}, plan)
		},
	}
}

type planDocument struct {
	Plan string `json:"plan"`
}

// replayDocument is the answer of replay.
type replayDocument struct {
	OK       bool           `json:"ok"`
	Steps    int            `json:"steps"`
	Requests int            `json:"requests"`
	Faults   int            `json:"faults"`
	Trace    string         `json:"trace_sha256"`
	Failure  *failureReport `json:"failure,omitempty"`
}

func replayCommand() *cobra.Command {
	var trace bool
	c := planned(&cobra.Command{
		Use: "replay FILE|-", Short: "Run a plan",
		Long: `replay runs a plan and prints how many steps, requests and faults it had, and the hash of its
trace, which is the same on every machine. If an invariant does not hold, it prints the
chart of what happened, and the exit code is 1.`,
		Example: "  kafkaprobe sim replay seven.plan\n  kafkaprobe sim plan 7 | kafkaprobe sim replay - --trace",
	}, func(cmd *cobra.Command, p engine.Plan) error {
		r, err := await(cmd.Context(), func() engine.Result { return engine.Run(p) })
		if err != nil {
			return err
		}
		doc := replayDocument{r.Failure == nil, r.Steps, r.Requests, r.Faults,
			fmt.Sprintf("%x", sha256.Sum256([]byte(r.Trace))), nil}
		text := fmt.Sprintf("%d steps, %d requests, %d faults, trace %s\n", r.Steps, r.Requests, r.Faults, doc.Trace)
		if trace {
			text = r.Trace + text
		}
		if r.Failure == nil {
			return answer(cmd, doc, text+"every invariant holds\n")
		}
		doc.Failure = newFailureReport(p, r.Failure)
		return errors.Join(failed(cmd, r.Failure), answer(cmd, doc, text+"\n"+doc.Failure.Chart))
	})
	c.Flags().BoolVar(&trace, "trace", false, "print the trace: a line for each thing that happened")
	return c
}

func shrinkCommand() *cobra.Command {
	return planned(&cobra.Command{
		Use: "shrink FILE|-", Short: "Print the shortest plan with the same failure",
		Long: `shrink leaves out steps, settings and pauses of a plan in which an invariant does not hold, as
long as the same one does not hold, and prints what is left. The exit code is 1 if every
invariant holds.`,
		Example: "  kafkaprobe sim shrink failed.plan > short.plan",
	}, func(cmd *cobra.Command, p engine.Plan) error {
		short, err := await(cmd.Context(), func() *engine.Plan {
			if engine.Run(p).Failure == nil {
				return nil
			}
			short := engine.Shrink(p)
			return &short
		})
		switch {
		case err != nil:
			return err
		case short == nil:
			return errors.New("every invariant holds: there is no failure to keep")
		}
		return answer(cmd, planDocument{short.String()}, short.String())
	})
}

func chartCommand() *cobra.Command {
	var svg string
	var events int
	c := planned(&cobra.Command{
		Use: "chart FILE|-", Short: "Draw what happens in a plan as a sequence chart",
		Long: `chart runs a plan and prints what happens as a sequence chart: the owner of the connection, the
connection, the network and the broker, with what they send to each other, states and
faults. If an invariant does not hold, it is the end of the chart.`,
		Example: "  kafkaprobe sim chart seven.plan\n  kafkaprobe sim plan 7 | kafkaprobe sim chart - --svg seven.svg",
	}, func(cmd *cobra.Command, p engine.Plan) error {
		type explained struct {
			text string
			svg  []byte
		}
		story, err := await(cmd.Context(), func() explained {
			_, c := engine.Explain(p)
			if c = c.Shortened(events); svg != "" {
				return explained{svg: c.SVG()}
			}
			return explained{text: c.Text()}
		})
		switch {
		case err != nil:
			return err
		case svg != "":
			return writeFile(cmd, svg, story.svg)
		}
		return answer(cmd, chartDocument{story.text}, story.text)
	})
	takesPlan := c.Args
	c.Args = func(cmd *cobra.Command, args []string) error {
		if events < 0 {
			return fmt.Errorf("--events %d: must not be negative", events)
		}
		return takesPlan(cmd, args)
	}
	c.Flags().StringVar(&svg, "svg", "",
		"write the chart as SVG to this file, - for standard output, and print nothing else")
	c.Flags().IntVar(&events, "events", maxEvents,
		"how many events to draw: those in the middle are left out; 0: no limit")
	return c
}

// writeFile writes a file, or to standard output if its name is "-".
func writeFile(cmd *cobra.Command, name string, data []byte) error {
	if name == "-" {
		_, err := cmd.OutOrStdout().Write(data)
		return err
	}
	return os.WriteFile(name, data, 0o644)
}

type chartDocument struct {
	Chart string `json:"chart"`
}
