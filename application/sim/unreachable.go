package sim

// unreachable lists the cells that no run reaches, each by one rule, with its reason.
var unreachable = []rule{
	{"Disconnected Closed", "lookup stage no-stage readable writable end reset", "*", "there is no lookup and no link"},
	{"Disconnected Connecting NegotiatingVersions Authenticating Closed", "cancel", "*",
		"no request is in flight: those of a lost connection have failed"},
	{"Connecting NegotiatingVersions Authenticating Connected", "connect", "*",
		"the owner connects when there is no connection"},
	{"Disconnected Connecting NegotiatingVersions Authenticating Closed", "admit", "*", "CanSend says no"},
	{"reauthenticating replacing draining closing", "admit", "*", "CanSend says no"},
	{"Connecting", "readable writable end reset", "*", "the link is not established"},
	{"Handshake", "lookup connect cancel admit readable writable end reset dial doze", "*",
		"the link is in a stage before the last, and its address is known"},
	{"Handshake", "send post close drain renew check swap close-for-good drain-for-good timer stage no-stage", "tls-port",
		"it is a fault of links without TLS"},
	{"Connecting", "no-stage", "none", "a dial fails because of a fault"},
	{"Handshake", "no-stage", "none", "a handshake fails because of a fault"},
	{"NegotiatingVersions Authenticating Connected", "lookup", "*", "it has ended"},
	{"NegotiatingVersions Authenticating Connected", "stage no-stage", "*", "the link has reached the last one"},
	{"Closed", "connect timer", "*", "nothing follows"},
	{"Disconnected Connecting NegotiatingVersions Authenticating Connected Closed", "doze", "*",
		"it is the affair of the owner of a Polled"},
	{"Disconnected Connecting NegotiatingVersions Authenticating Connected", "dial", "*",
		"the owner makes another connection when the last one is closed for good"},
}
