package domain

// Two rules: every move between states is in the table of this file, and every
// move is reported exactly once, as a Changed output, in the order in which the
// moves were made.
//
//	Disconnected -> Connecting -> Handshake -> NegotiatingVersions -> Authenticating -> Connected
//	                     |                        ^    |                                   ^
//	                     +------------------------+    +-----------------------------------+
//	                            without TLS                        without SASL
//
// Where the broker's release is configured NegotiatingVersions is left out.
//
// From each of them a failure or a Close leads back to Disconnected, and a final
// Close from anywhere to Closed, which nothing leaves.

// State is the state of a connection.
type State uint8

const (
	Disconnected        State = iota // no link; Connect starts one, after the backoff
	Connecting                       // the host is looked up, the address dialled
	Handshake                        // the TLS handshake is under way
	NegotiatingVersions              // ApiVersions was asked
	Authenticating                   // SaslHandshake and the exchange are under way
	Connected                        // requests are admitted
	Closed                           // closed for good
)

var stateNames = [...]string{
	"Disconnected", "Connecting", "Handshake", "NegotiatingVersions",
	"Authenticating", "Connected", "Closed",
}

func (s State) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown state"
}

// MarshalText gives the name, for JSON.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// moves lists, for each state, the states that may follow it.
var moves = [...][]State{
	Disconnected:        {Connecting, Closed},
	Connecting:          {Handshake, NegotiatingVersions, Authenticating, Connected, Disconnected, Closed},
	Handshake:           {NegotiatingVersions, Authenticating, Connected, Disconnected, Closed},
	NegotiatingVersions: {Authenticating, Connected, Disconnected, Closed},
	Authenticating:      {Connected, Disconnected, Closed},
	Connected:           {Disconnected, Closed},
	Closed:              {},
}

func (s State) mayBecome(to State) bool {
	for _, next := range moves[s] {
		if next == to {
			return true
		}
	}
	return false
}

// Down reports whether there is neither a connection nor an attempt at one.
func (s State) Down() bool { return s == Disconnected || s == Closed }

// SettingUp reports whether the connection is on its way: kafka-python's
// connecting().
func (s State) SettingUp() bool { return s >= Connecting && s <= Authenticating }

// condition is what a Connected connection admits; with another one CanSend says why not.
//
//	serving <-> reauthenticating <-> replacing
//	   |               |                 |
//	   +---------------+-----------------+----> draining -> closing
type condition uint8

const (
	serving          condition = iota // requests are admitted
	reauthenticating                  // requests wait until the session is renewed (KIP-368)
	replacing                         // requests wait for the next connection, with other credentials
	draining                          // the connection is closed once no request is in flight
	closing                           // the same, for good
)

// conditionMoves lists, for each condition, those that may follow it, and the event that
// causes each. The end of the connection leads from all of them to serving, of the next.
var conditionMoves = [...]map[condition]string{
	serving: {
		reauthenticating: "the session is about to end, Reauthenticate, or new credentials",
		replacing:        "the same, where this connection cannot log in again",
		draining:         "Drain",
		closing:          "Drain for good",
	},
	reauthenticating: {
		serving:   "the login is over",
		replacing: "new credentials, of another mechanism",
		draining:  "Drain",
		closing:   "Drain for good",
	},
	replacing: {
		reauthenticating: "new credentials, of the mechanism of the session",
		draining:         "Drain",
		closing:          "Drain for good",
	},
	draining: {closing: "Drain for good"},
	closing:  {},
}

// setCondition makes one move. To stay is not a move, and Drain does not undo Drain for good.
func (m *Machine) setCondition(to condition) {
	if to == m.condition || m.condition == closing && to == draining {
		return
	}
	if _, ok := conditionMoves[m.condition][to]; !ok {
		panic("domain: no way from this condition to the other")
	}
	m.condition = to
}
