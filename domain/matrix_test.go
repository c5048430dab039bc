package domain_test

import (
	"slices"
	"strings"
	"testing"

	"brokerconn/domain"
)

// Every state meets every input, and each meeting is in a conversation. The
// matrix is counted from what the conversations execute.

var states = []domain.State{
	domain.Disconnected, domain.Connecting, domain.Handshake, domain.NegotiatingVersions,
	domain.Authenticating, domain.Connected, domain.Closed,
}

// commandsOfOwner have no epoch.
var commandsOfOwner = []string{
	"connect", "send", "abandon", "recycle-misuse", "close", "close-cause", "close-final", "drain",
	"drain-final", "renew", "use",
	"timeout-early", "timeout-late",
}

// newsFromOutside comes with the epoch awaited, and with an old one.
var newsFromOutside = []string{
	"addresses", "addresses-error", "addresses-none",
	"try", "stage-connecting", "stage-securing", "stage-established",
	"read", "read-garbage", "written-all", "written-part", "writable",
	"token", "token-error", "lost",
}

// matrix holds, for each state and input, the effects seen:
//
//	L  legal: there was an output      .  legal, and nothing to do
//	s  ignored and counted as stale    R  refused, and the connection lives
//	D  the connection went down        P  a programmer's error: a panic
type matrix map[domain.State]map[string]string

func (c matrix) count(s domain.State, input, effect string) {
	if c[s] == nil {
		c[s] = map[string]string{}
	}
	if !strings.Contains(c[s][input], effect) {
		c[s][input] += effect
	}
}

func (c matrix) validate(t *testing.T) {
	inputs := slices.Clone(commandsOfOwner)
	for _, n := range newsFromOutside {
		inputs = append(inputs, n, n+"@old")
	}
	var table strings.Builder
	covered := 0
	for _, input := range inputs {
		table.WriteString("\n" + input + strings.Repeat(" ", 24-len(input)))
		for _, s := range states {
			effects := c[s][input]
			if effects == "" {
				t.Errorf("no conversation has %s in state %v", input, s)
			} else {
				covered++
			}
			table.WriteString(effects + strings.Repeat(" ", max(6-len(effects), 1)))
			if strings.HasSuffix(input, "@old") && strings.Trim(effects, "s") != "" && !loanOfOld(s, input) {
				t.Errorf("%s in state %v was not ignored: %s", input, s, effects)
			}
		}
	}
	t.Logf("%d of %d cells covered; columns: %v%s", covered, len(inputs)*len(states), states, table.String())
}

// loanOfOld: a writer's loan comes back with the epoch that it went out with,
// and counts, also when that connection is gone.
func loanOfOld(s domain.State, input string) bool {
	return strings.HasPrefix(input, "written") &&
		(s == domain.Disconnected || s == domain.Connecting || s == domain.Closed)
}
