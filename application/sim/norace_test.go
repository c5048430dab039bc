//go:build !race

package sim_test

// seeds is how many TestSeeds runs.
const seeds = 20_000
