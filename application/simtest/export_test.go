package simtest

// StuckTicks is for how many seconds virtual time may stand still.
var StuckTicks = &stuckTicks
