package sim

// unreachable lists the cells that no run reaches, each by one rule, with its reason.
var unreachable = []rule{
	{"Disconnected Closed", "lookup stage no-stage readable writable end reset", "*", "there is no lookup and no link"},
	{"Disconnected Connecting Handshake NegotiatingVersions Authenticating Closed", "cancel", "*",
		"no request is in flight: those of a lost connection have failed"},
	{"Connecting Handshake NegotiatingVersions Authenticating Connected", "connect", "*",
		"the owner connects when there is no connection"},
	{"Disconnected Connecting Handshake NegotiatingVersions Authenticating Closed", "admit", "*", "CanSend says no"},
	{"reauthenticating replacing draining closing", "admit", "*", "CanSend says no"},
	{"Connecting Handshake", "readable writable end reset", "*", "the link is not established"},
	{"Handshake NegotiatingVersions Authenticating Connected", "lookup", "*", "it has ended"},
	{"NegotiatingVersions Authenticating Connected", "stage no-stage", "*", "the link has reached the last one"},
	{"Closed", "connect timer", "*", "nothing follows"},
	{"Disconnected Connecting Handshake NegotiatingVersions Authenticating Connected", "dial", "*",
		"the owner makes another connection when the last one is closed for good"},
}
