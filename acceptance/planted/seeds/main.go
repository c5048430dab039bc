// The command seeds runs seeds of application/sim until one fails, and prints its number, the invariant
// that does not hold, the least plan and how long it took to find that, as JSON: null if none fails. It is
// what the command planted builds with each defect: the tests of application/sim do the same, and take
// twice as long to build.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"os"
	"time"

	"brokerconn/application/sim"
)

// Finding is a seed that failed.
type Finding struct {
	Seed      uint64
	Invariant string
	Plan      string // the least one
	Took      time.Duration
}

func main() {
	seeds := flag.Uint64("seeds", 10_000, "how many seeds may be run")
	flag.Parse()
	var found *Finding
	if r := (sim.Campaign{Seeds: *seeds}).Run(context.Background()); r.Failure != nil {
		begun := time.Now()
		plan := sim.Shrink(sim.Generate(r.Failed))
		found = &Finding{r.Failed, r.Failure.Invariant, plan.String(), time.Since(begun)}
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		os.Exit(1)
	}
}
