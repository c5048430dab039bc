// Package probe is the command kafkaprobe, with a file for each of its commands, which ask
// one broker over one connection.
//
// Four rules hold for every command.
//
// Standard output has only the answer: text, or with --json one JSON document (ping: one
// object per line). With --json an error is a document too, {"error": {...}}, or a member
// of the answer that it concerns.
//
// A failure is one line on standard error and an exit code that scripts can rely on
// (exit.go). Invalid properties are one line for each problem.
//
// Every wait ends: by --timeout, or at once by the context of [Run], which main cancels
// on SIGINT and SIGTERM.
//
// At a terminal, a wait that is longer than a second is shown on standard error
// (output.go).
package probe

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"brokerconn/application/properties"
)

// name is the name of the command.
const name = "kafkaprobe"

// defaultTimeout limits a command, and each ping.
const defaultTimeout = 10 * time.Second

// Run runs one command line and returns its exit code. args do not include the name of
// the program. When ctx ends, the command stops at once and the exit code is 130. more are
// commands of other packages.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer, more ...Command) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr, terminal: isTerminal(stderr), progressEvery: progressEvery}
	a.more = more
	return a.run(ctx, args)
}

// app is one run of a command line.
type app struct {
	more           []Command
	stdin          io.Reader
	stdout, stderr io.Writer
	terminal       bool      // stderr is a terminal
	raw            io.Writer // standard error, for the progress
	progressEvery  time.Duration

	// The flags of all commands.
	json     bool
	timeout  time.Duration
	timed    bool          // --timeout was given
	spent    time.Duration // of timeout, to choose a broker
	clientID string
	named    bool // --client-id was given

	clusterID string
	nodeID    int32 // -1: any

	// The flags of the commands that connect, and what is read from them.
	properties propertyFlags
	settings   *properties.Settings

	kafka      sync.Map // the addresses that have answered ApiVersions
	warning    sync.Mutex
	warned     []string // the warnings that were written
	progress   progress
	running    bool // the command line was valid, and a command was started
	documented bool // a JSON document that includes the error was written
}

func (a *app) run(ctx context.Context, args []string) int {
	a.raw, a.stdout, a.stderr = a.stderr, shown{a.stdout}, shown{a.stderr}
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
	var usage *usageError
	if !a.running && err != errInterrupted {
		if !errors.As(err, &usage) { // cobra's own error
			err = usagef("%v", err)
		}
		// If the flags are invalid, --json may not have been read.
		a.json = a.json || slices.Contains(args, "--json")
	}
	if errors.As(err, &usage) {
		usage.help = command.CommandPath()
	}
	if a.json && !a.documented {
		// If this fails, only the exit code can report it.
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
		Use: name, Short: "Diagnose one Kafka broker over one connection",
		Long: `kafkaprobe talks to one Kafka broker over one connection.

Commands that connect take properties with the names of kafka-python, Java or
librdkafka: -F reads a file, -X sets one property, and later values replace earlier
ones; HOST:PORT, --client-id, --timeout and --server-name replace both. HOST:PORT may be
omitted if the properties name a broker. Of several brokers, separated by commas, the
first that answers is used. SSL://HOST:PORT, and other security protocols, set the
protocol. Keys of producers and consumers are ignored.

Exit codes: 0 success; 1 the broker answered an error, or a check failed; 2 usage;
10 the host was not found (DNS); 11 the port was not reached (TCP); 12 TLS;
13 not Kafka, or an invalid answer; 14 authentication; 15 timeout;
130 interrupted.`,
		Example: `  kafkaprobe ping localhost:9092
  kafkaprobe check-version broker-1.example.com:9092
  kafkaprobe request localhost:9092 metadata --json
  kafkaprobe apis -F client.properties
  kafkaprobe tls broker-1.example.com:9093 -X ssl_cafile=ca.pem
  kafkaprobe demo`,
		SilenceErrors: true, SilenceUsage: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return unknownCommand(cmd, args[0])
		},
	}
	root.RunE = func(*cobra.Command, []string) error {
		if version {
			a.running = true
			build := newBuildDocument(debug.ReadBuildInfo())
			return a.emit(build, build.String()+"\n")
		}
		return usagef("no command is given")
	}
	root.Flags().BoolVar(&version, "version", false, "print the version of kafkaprobe and of its build")
	flags := root.PersistentFlags()
	flags.BoolVar(&a.json, "json", false, "answer with a JSON document, also for errors")
	flags.DurationVar(&a.timeout, "timeout", defaultTimeout,
		"limit for the whole command; for ping, for each ping; for demo and sim, no limit unless given")
	flags.StringVar(&a.clientID, "client-id", name, "client id in the broker's logs and quotas")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		a.timed = cmd.Flags().Changed("timeout")
		a.named = cmd.Flags().Changed("client-id")
		if a.timeout <= 0 {
			return usagef("--timeout %v: must be more than 0", a.timeout)
		}
		return nil
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usagef("%v", err) })
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.SetIn(a.stdin)
	root.SetHelpCommand(a.help())
	root.AddCommand(a.demo(), a.ping(), a.apis(), a.request(), a.checkVersion(), a.tls(), a.auth(), a.showConfig())
	for _, more := range a.more {
		root.AddCommand(a.adopt(more(a.progressTo())))
	}
	return root
}

// help is "kafkaprobe help COMMAND". cobra's own help command prints the usage for an
// unknown name, with exit code 0.
func (a *app) help() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Show the help of a command",
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return unknownCommand(cmd.Root(), args[0])
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}

func unknownCommand(root *cobra.Command, written string) error {
	var names []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return usagef("there is no command %q%s", written, properties.DidYouMean(written, names))
}
