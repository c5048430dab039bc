package sim

import (
	"slices"
	"strings"
)

// unreachable lists the cells that no run reaches, each by one rule, with its reason.
var unreachable = []rule{
	{"Disconnected Closed", "lookup stage no-stage readable writable end reset", "*",
		"there is no lookup and no link"},
	{"Disconnected Connecting NegotiatingVersions Authenticating Closed", "cancel", "*",
		"no request is in flight: those of a lost connection have failed"},
	{"Connecting NegotiatingVersions Authenticating Connected", "connect", "*",
		"the owner connects when there is no connection"},
	{"Disconnected Connecting NegotiatingVersions Authenticating Closed", "admit", "*", "CanSend says no"},
	{"reauthenticating replacing draining closing", "admit", "*", "CanSend says no"},
	{"Connecting", "readable writable end reset", "*", "the link is not established"},
	{"Handshake", "lookup connect cancel admit readable writable end reset dial doze", "*",
		"the link is in a stage before the last, and its address is known"},
	{"Handshake", "send post close drain renew check swap close-for-good drain-for-good ask withdraw lose timer " +
		"stage no-stage", "tls-port", "it is a fault of links without TLS"},
	{"Connecting", "no-stage", "none", "a dial fails because of a fault"},
	{"Handshake", "no-stage", "none", "a handshake fails because of a fault"},
	{"NegotiatingVersions Authenticating Connected", "lookup", "*", "it has ended"},
	{"NegotiatingVersions Authenticating Connected", "stage no-stage", "*", "the link has reached the last one"},
	{"Authenticating", "reset", "none", "each message of a login waits for the answer to the one before, so that a " +
		"broker that closes the connection has read all that it was sent"},
	{"Closed", "connect timer", "*", "nothing follows"},
	{"Disconnected Connecting NegotiatingVersions Authenticating Connected Closed", "doze", "*",
		"it is the affair of the owner of a Polled"},
	{"Disconnected Connecting NegotiatingVersions Authenticating Connected", "dial", "*",
		"the owner makes another connection when the last one is closed for good"},
}

// rule excludes the cells of which each name is among its own. "*" is any name.
type rule struct{ places, events, faults, reason string }

// rulesFor returns the rules that exclude a cell: none or one.
func rulesFor(c Cell) (list []rule) {
	for _, r := range unreachable {
		if among(r.places, c.State, c.Condition) && among(r.events, c.Event) && among(r.faults, c.Fault) {
			list = append(list, r)
		}
	}
	return list
}

func among(list string, names ...string) bool {
	is := func(name string) bool { return slices.Contains(names, name) }
	return list == "*" || slices.ContainsFunc(words(list), is)
}

// words returns the names of one side of a rule.
func words(list string) []string { return strings.Fields(list) }
