package porttest

import "time"

// SetPatience shortens the wait for what a broken implementation never does.
func SetPatience(d time.Duration) { patience = d }
