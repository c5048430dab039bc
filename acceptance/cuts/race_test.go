//go:build race

package cuts

// stride is how far apart the bytes are that have a break: with the race detector all take minutes.
const stride = 23
