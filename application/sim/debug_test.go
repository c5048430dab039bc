package sim_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"brokerconn/application/sim"
)

func TestDebug(t *testing.T) {
	seed, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64)
	if err != nil {
		t.Skip()
	}
	p := sim.Generate(seed)
	r := sim.Run(p)
	fmt.Println(p)
	fmt.Println(r.Trace)
	fmt.Println(r.Steps, r.Failure)
}
