package simtest

import (
	"flag"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"brokerconn/domain/release"
)

// Options are those of a test. The zero value is a cluster of three brokers of the newest release.
type Options struct {
	// Seeds is how many seeds are run; the flag -sim.seeds replaces it. If zero, the default
	// is 100.
	Seeds int
	// Brokers is how many there are. If zero, the default is 3.
	Brokers int
	// Release is that of the brokers, such as "2.8" or "0.10.2". If empty, it is the newest one that
	// is known.
	Release string
	// Partitions is how many each topic has. If zero, the default is 3.
	Partitions int
	// Latency is that of the network, one way: each delivery takes from half of it to twice as
	// long. If zero, the default is 2 ms.
	Latency time.Duration
	// TLS makes the brokers accept TLS only, and World.Config use it. The test must not be parallel:
	// the handshakes are repeatable by testing/cryptotest, which refuses that.
	TLS bool
	// Mechanisms are those of SASL that the brokers offer, of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and
	// OAUTHBEARER. World.Config has an authenticator for each, in this order. If empty, there are
	// no logins.
	Mechanisms []string
	// Session is the lifetime of a login (KIP-368). If zero, logins do not expire.
	Session time.Duration
	// Limit is how much virtual time a seed may take. If zero, the default is an hour.
	Limit time.Duration
	// Once runs each seed once, without the comparison with a second run.
	Once bool
}

// withDefaults panics if a field is not valid.
func (o Options) withDefaults() Options {
	for _, field := range []struct {
		name  string
		value int64
	}{{"Seeds", int64(o.Seeds)}, {"Brokers", int64(o.Brokers)}, {"Partitions", int64(o.Partitions)},
		{"Latency", int64(o.Latency)}, {"Limit", int64(o.Limit)}, {"Session", int64(o.Session)}} {
		if field.value < 0 {
			panic(fmt.Sprintf("simtest: Options.%s is negative", field.name))
		}
	}
	o.Seeds, o.Brokers, o.Partitions = or(o.Seeds, 100), or(o.Brokers, 3), or(o.Partitions, 3)
	o.Latency, o.Limit = or(o.Latency, 2*time.Millisecond), or(o.Limit, time.Hour)
	for _, name := range o.Mechanisms {
		if _, known := mechanisms[name]; !known {
			panic(fmt.Sprintf("simtest: Options.Mechanisms has %q, want PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or "+
				"OAUTHBEARER", name))
		}
	}
	if o.Release == "" {
		known := release.Known()
		o.Release = known[len(known)-1].String()
	}
	return o
}

func or[T int | time.Duration](value, otherwise T) T {
	if value == 0 {
		return otherwise
	}
	return value
}

// table returns the API versions of a release.
func table(name string) release.Table {
	var numbers [3]int
	for i, part := range strings.Split(name, ".") {
		n, err := strconv.Atoi(part)
		if err != nil || i >= len(numbers) {
			panic(fmt.Sprintf("simtest: Options.Release is %q, want a release such as \"4.1\"", name))
		}
		numbers[i] = n
	}
	t, _, ok := release.TableOf(release.Release{Major: numbers[0], Minor: numbers[1], Patch: numbers[2]})
	if !ok {
		panic(fmt.Sprintf("simtest: Options.Release is %q, which is older than each known release", name))
	}
	return t
}

// flags are those of the test binary.
var flags struct {
	seed  optional
	seeds uint
	time  time.Duration
	plan  string
}

func init() {
	flag.Var(&flags.seed, "sim.seed", "run this `seed` only")
	flag.UintVar(&flags.seeds, "sim.seeds", 0, "run so `many` seeds")
	flag.DurationVar(&flags.time, "sim.time", 0, "run new seeds for so `long`")
	flag.StringVar(&flags.plan, "sim.plan", "", "run the plan of this `file` only")
	for name, variable := range map[string]string{"sim.seed": "SIM_SEED", "sim.seeds": "SIM_SEEDS",
		"sim.time": "SIM_TIME", "sim.plan": "SIM_PLAN"} {
		if value := os.Getenv(variable); value != "" {
			if err := flag.Set(name, value); err != nil {
				panic(fmt.Sprintf("simtest: environment variable %s: %v", variable, err))
			}
		}
	}
}

// optional is a seed that may be set.
type optional struct {
	set  bool
	seed uint64
}

func (o *optional) String() string { return strconv.FormatUint(o.seed, 10) }

func (o *optional) Set(text string) (err error) {
	o.seed, err = strconv.ParseUint(text, 0, 64)
	o.set = err == nil
	return err
}
