// Odd starts other servers of Kafka's protocol on loopback and prints a row for each:
//
//	go run ./odd                # all
//	go run ./odd kfake sarama   # some; these two need Go alone
//
// In each row a Conn connects and logs in, if the server has logins, asks for the verdict of
// CheckVersion, sends 1,000 pipelined requests with a produce request without a response
// before each tenth, and is served again after the server has dropped the connection. It
// fails if one of them fails, and if the verdict takes the server for Apache Kafka, or Kafka
// for another server. An interrupt ends the servers first.
//
//	peers         kfake and sarama's MockBroker, in this process
//	librdkafka    the mock cluster of librdkafka, in a Python of its own
//	tansu         Tansu, a process
//	kroxylicious  Kroxylicious before a real broker, by ports and by server name
//	strimzi       a real broker with Strimzi's OAuth plugin, and an issuer of tokens
//	process       processes, lines and ports of these
//	row           what is done with each
//
// Its tests compare those that application/sim has models of with the models, byte by byte.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"
)

// patience bounds a row, with its installation.
const patience = 6 * time.Minute

// starts are the servers by name.
var starts = map[string]func(context.Context) (*peer, error){
	"kfake":            startKfake,
	"sarama":           startSarama,
	"librdkafka":       startLibrdkafka,
	"tansu":            startTansu,
	"kroxylicious":     startKroxylicious,
	"kroxylicious-sni": startKroxyliciousSNI,
	"strimzi":          startStrimzi,
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	names := os.Args[1:]
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(starts))
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "server\tasked\tverdict\tanswered\tdropped\tlogin\treconnect\tremark")
	failed := false
	for _, name := range names {
		if err := printRow(ctx, table, name); err != nil {
			failed = true
			fmt.Fprintf(table, "%s\tFAILED: %v\n", name, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	table.Flush()
	if failed {
		os.Exit(1)
	}
}

func printRow(ctx context.Context, table *tabwriter.Writer, name string) error {
	start, ok := starts[name]
	if !ok {
		return fmt.Errorf("no such server; there are %q", slices.Sorted(maps.Keys(starts)))
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	p, err := start(ctx)
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	defer p.stop()
	r, err := measure(ctx, p)
	if err != nil {
		return err
	}
	fmt.Fprintf(table, "%s\tv%d\t%v\t%d of %d\t%d\t%s\tserved\t%s\n",
		p.name, r.asked, r.verdict, r.answered, requests, r.dropped, r.login, p.remark)
	return nil
}
