// Package probe is the command kafkaprobe: what it can be asked, a file for each
// command, over one connection to one broker.
//
// Four rules hold for every command.
//
// Standard output has the answer and nothing else: text, or with --json one JSON
// document (ping: one object a line). With --json an error is a document as well,
// {"error": {...}}, or stands beside the answer that it is about.
//
// A failure is one line on standard error, whatever failed, and an exit code that
// scripts can rely on (exit.go). Bad properties are a line for each thing wrong.
//
// Every wait ends: by --timeout, or at once by the context of [Run], which main
// ends on SIGINT and SIGTERM.
//
// What a person at a terminal waits for longer than a second is told on standard
// error (progress.go).
package probe

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"brokerconn/application/properties"
)

// name is what the command is called.
const name = "kafkaprobe"

// defaultTimeout bounds a command, and each ping.
const defaultTimeout = 10 * time.Second

// Run carries out one command line, without the program's name in args, and
// returns the exit code. When ctx ends the command stops at once, with code 130.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, progressEvery: progressEvery}
	a.terminal = isTerminal(stderr)
	return a.run(ctx, args)
}

// app is one command line being carried out.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	terminal       bool // stderr is one
	progressEvery  time.Duration

	// What every command has: the persistent flags.
	json     bool
	timeout  time.Duration
	timed    bool // --timeout was given
	clientID string
	named    bool // --client-id was given

	// What the commands that connect have besides.
	properties propertyFlags
	settings   *properties.Settings // what they came to

	progress   *progress // nil when nobody is to be told
	running    bool      // past the command line: a command is at work
	documented bool      // a JSON document that tells how it ended was written
}

func (a *app) run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(slices.Concat([]string{}, args)) // nil would mean os.Args
	command, err := root.ExecuteContextC(ctx)
	a.progress.end()
	if ctx.Err() != nil && err != nil {
		err = errInterrupted
	}
	if err == nil {
		return exitOK
	}
	if !a.running {
		err = asUsage(err, command)
		// Where the flags could not be read --json was perhaps not reached.
		a.json = a.json || slices.Contains(args, "--json")
	}
	if a.json && !a.documented {
		// Nothing better than the exit code is left if this fails.
		_ = writeJSON(a.stdout, errorDocument{describe(err)})
	}
	for _, line := range lines(err) {
		fmt.Fprintf(a.stderr, "%s: %s\n", name, line)
	}
	return exitCode(err)
}

func (a *app) root() *cobra.Command {
	var version bool
	root := &cobra.Command{
		Use:   name,
		Short: "Ask one Kafka broker what it is and how it does",
		Long: `kafkaprobe talks to one Kafka broker over one connection.

Commands that connect take the properties of kafka-python, of Java and of librdkafka:
-F reads a file, -X sets one, and later ones win; HOST:PORT, --client-id and --timeout
win over them. HOST:PORT may be left out where they name exactly one broker. Keys of
producers and consumers are passed over.

Exit codes: 0 ok; 1 the broker answered an error, or a check failed; 2 usage;
10 the name was not found (DNS); 11 the port was not reached (TCP); 12 TLS;
13 not Kafka, or a broken protocol; 14 authentication; 15 timed out;
130 interrupted.`,
		Example: `  kafkaprobe ping localhost:9092
  kafkaprobe check-version broker-1.example.com:9092
  kafkaprobe request localhost:9092 metadata --json
  kafkaprobe apis -F client.properties
  kafkaprobe tls broker-1.example.com:9093 -X ssl_cafile=ca.pem
  kafkaprobe demo`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return usagef("there is no command %q%s", args[0], properties.DidYouMean(args[0], commandNames(cmd)))
		},
	}
	root.RunE = func(*cobra.Command, []string) error {
		if version {
			a.running = true
			build := newBuildDocument(debug.ReadBuildInfo())
			return a.emit(build, build.String()+"\n")
		}
		return usagef("no command was given")
	}
	root.Flags().BoolVar(&version, "version", false, "print the version of kafkaprobe and of its build")
	flags := root.PersistentFlags()
	flags.BoolVar(&a.json, "json", false, "answer with a JSON document, also for errors")
	flags.DurationVar(&a.timeout, "timeout", defaultTimeout, "limit for the whole command; for ping, for each ping; for demo, none unless given")
	flags.StringVar(&a.clientID, "client-id", name, "client id, as seen in the broker's logs and quotas")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		a.timed = cmd.Flags().Changed("timeout")
		a.named = cmd.Flags().Changed("client-id")
		if a.timeout <= 0 {
			return usagef("--timeout %v: it must be more than nothing", a.timeout)
		}
		return nil
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usagef("%v", err) })
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetHelpCommand(a.help())
	root.AddCommand(a.demo(), a.ping(), a.apis(), a.request(), a.checkVersion(), a.tls(), a.auth())
	return root
}

// help is "kafkaprobe help COMMAND". cobra's own answers an unknown name with a
// page of text and exit code 0.
func (a *app) help() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Help about a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usagef("there is no command %q%s", args[0], properties.DidYouMean(args[0], commandNames(cmd.Root())))
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}

func commandNames(root *cobra.Command) []string {
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return names
}

// command completes c, whose Use names its arguments, all of them required;
// HOST:PORT may also come from properties.
func (a *app) command(c *cobra.Command, run func(ctx context.Context, args []string) error) *cobra.Command {
	wanted := strings.Fields(c.Use)[1:]
	connects := len(wanted) > 0 && wanted[0] == addressArgument
	if connects {
		a.properties.declare(c)
	}
	c.Args = func(_ *cobra.Command, args []string) error {
		wanted := wanted
		if connects && a.properties.given() && len(args) < len(wanted) {
			wanted = wanted[1:]
		}
		switch {
		case len(args) < len(wanted):
			return usagef("%s needs %s", c.Name(), strings.Join(wanted[len(args):], " and "))
		case len(args) > len(wanted):
			return usagef("%s takes no further argument: %q", c.Name(), args[len(wanted)])
		}
		return nil
	}
	c.RunE = func(cmd *cobra.Command, args []string) error {
		a.running = true
		if a.terminal && !a.json {
			a.progress = startProgress(a.stderr, a.progressEvery)
		}
		err := a.readProperties()
		if err == nil && connects {
			args, err = a.withAddress(args, len(wanted))
		}
		if err == nil {
			err = run(cmd.Context(), args)
		}
		return forCommand(err, cmd)
	}
	return c
}

// limited bounds ctx by --timeout.
func (a *app) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, a.timeout, &timeoutError{a.timeout})
}
