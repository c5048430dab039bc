//go:build !race

package cuts

// stride is 1 if each byte has a break.
const stride = 1
