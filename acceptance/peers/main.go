package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"brokerconn/acceptance"
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
		return errors.New("usage: bench [-base COMMIT] [-rounds N] [-times N] [-only WORKLOAD] [-chart FILE] " +
			"[-profiles FOLDER] | " +
			"growth [-rounds N] [-chart FILE] | kafka [-rounds N] [-release R] | serve | measure")
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
		kafka := flags.Bool("kafka", false, "the broker is a real one, and has the topics")
		profile := flags.String("profile", "", "the file of a profile of the processor's time")
		_ = flags.Parse(args[1:]) // exits
		if *kafka {
			if err := asKafkaWants(at.plain); err != nil {
				return err
			}
		}
		r, err := profiled(*profile, func() (result, error) { return measure(*client, *name, at) })
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(r)
	case "bench", "growth", "kafka":
		var b bench
		flags.StringVar(&b.base, "base", "", "an earlier commit of the library, to be measured too")
		flags.IntVar(&b.rounds, "rounds", 5, "how often each workload is run with each client")
		flags.IntVar(&b.times, "times", 1, "how often all of it is done: a row that misses twice is an error")
		flags.StringVar(&b.only, "only", "", "one workload")
		flags.StringVar(&b.chart, "chart", "", "the file of a chart, as SVG")
		flags.StringVar(&b.profiles, "profiles", "", "a folder, for a profile of each client at each workload")
		flags.BoolVar(&b.anyLoad, "any-load", false, "whether to measure beside other load")
		release := flags.String("release", acceptance.Newest, "that of Kafka")
		_ = flags.Parse(args[1:]) // exits
		return b.built(func(tmp string) error {
			switch args[0] {
			case "growth":
				return b.growth(os.Stdout)
			case "kafka":
				return b.kafka(os.Stdout, *release)
			}
			return b.run(tmp)
		})
	}
	return fmt.Errorf("unknown command %q", args[0])
}
