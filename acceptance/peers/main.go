package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

// roundTrip is what the relay adds, as between two regions.
const roundTrip = 50 * time.Millisecond

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("usage: bench [-base COMMIT] [-rounds N] [-times N] [-only WORKLOAD] [-chart FILE] | " +
			"growth [-rounds N] | serve | measure")
	}
	flags := flag.NewFlagSet(args[0], flag.ExitOnError)
	switch args[0] {
	case "serve":
		return serve(os.Stdin, os.Stdout, roundTrip/2)
	case "measure":
		client := flags.String("client", "conn", "its name")
		name := flags.String("workload", "", "its name")
		var at addresses
		flags.StringVar(&at.plain, "plain", "", "host:port of the canned broker")
		flags.StringVar(&at.secure, "secure", "", "the same, over TLS")
		flags.StringVar(&at.relayed, "relayed", "", "that of the relay before it")
		flags.StringVar(&at.authority, "authority", "", "the file of the certificate")
		_ = flags.Parse(args[1:]) // exits
		r, err := measure(*client, *name, at)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(r)
	case "bench", "growth":
		var b bench
		flags.StringVar(&b.base, "base", "", "an earlier commit of the library, to be measured too")
		flags.IntVar(&b.rounds, "rounds", 7, "how often each workload is run with each client")
		flags.IntVar(&b.times, "times", 1, "how often all of it is done: a row that misses twice is an error")
		flags.StringVar(&b.only, "only", "", "one workload")
		flags.StringVar(&b.chart, "chart", "", "the file of a chart, as SVG")
		flags.BoolVar(&b.anyLoad, "any-load", false, "whether to measure beside other load")
		_ = flags.Parse(args[1:]) // exits
		if args[0] == "growth" {
			return b.growth(os.Stdout)
		}
		return b.run()
	}
	return fmt.Errorf("unknown command %q", args[0])
}
