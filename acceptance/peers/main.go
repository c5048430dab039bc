package main

import (
	"encoding/json"
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
		return fmt.Errorf("usage: compare [-rounds N] [-only SCENARIO] NAME=CHECKOUT ... | serve | measure")
	}
	flags := flag.NewFlagSet(args[0], flag.ExitOnError)
	switch args[0] {
	case "serve":
		return serve(os.Stdin, os.Stdout, roundTrip/2)
	case "measure":
		kind := flags.String("client", "conn", "floor, conn or franz")
		cancelable := flags.Bool("cancelable", false, "whether the context can end")
		name := flags.String("scenario", "", "its name")
		address := flags.String("address", "", "host:port of the canned broker")
		_ = flags.Parse(args[1:]) // exits
		r, err := measure(*kind, *cancelable, *name, *address)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(r)
	case "compare":
		rounds := flags.Int("rounds", 5, "how often each scenario is run with each build")
		only := flags.String("only", "", "one scenario")
		_ = flags.Parse(args[1:]) // exits
		return compare(*rounds, *only, flags.Args())
	}
	return fmt.Errorf("unknown command %q", args[0])
}
