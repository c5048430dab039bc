// The command kafkaprobe asks one Kafka broker what it is and how it does, and simulates connections.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"brokerconn/application/cli/probe"
	"brokerconn/application/cli/sim"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(probe.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, sim.Command))
}
