package domain

// Two rules: every move between states is in the table of this file, and every move is
// reported exactly once, as a Changed output, in the order in which the moves are made.
//
//	             Connect        HandleStage              HandleStage          ApiVersions          the login
//	Disconnected ------> Connecting ----> Handshake ----> NegotiatingVersions ----> Authenticating ----> Connected
//	                         |                              ^       |                                     ^
//	                         +----------- no TLS -----------+       +-------------- no SASL --------------+
//
// NegotiatingVersions is skipped if the broker's release is configured, or was detected on
// an earlier connection. From every state but Closed a failure or Close leads to
// Disconnected, and a final Close to Closed, which has no way out.

// State is the state of a connection.
type State uint8

const (
	Disconnected        State = iota // no link; Connect starts one, after the backoff
	Connecting                       // the host is looked up and the address dialed
	Handshake                        // the TLS handshake is under way
	NegotiatingVersions              // ApiVersions is under way
	Authenticating                   // SaslHandshake and the exchange are under way
	Connected                        // requests are admitted
	Closed                           // closed for good
)

var stateNames = [...]string{
	"Disconnected", "Connecting", "Handshake", "NegotiatingVersions",
	"Authenticating", "Connected", "Closed",
}

func (s State) String() string { return nameOf(stateNames[:], int(s), "unknown state") }

func nameOf(names []string, i int, unknown string) string {
	if i < len(names) {
		return names[i]
	}
	return unknown
}

// MarshalText returns the name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// moves lists, for each state, the states that may follow it and the event that causes the
// move.
var moves = [...]map[State]string{
	Disconnected: {
		Connecting: "Connect",
		Closed:     "a final Close",
	},
	Connecting: {
		Handshake:           "HandleStage: the address was reached, and TLS follows",
		NegotiatingVersions: "HandleStage: established",
		Authenticating:      "HandleStage: established, and the API versions are known",
		Connected:           "HandleStage: established, the API versions are known, and there is no login",
		Disconnected:        "HandleAddresses or HandleLost with an error, HandleTimeout, Close, Drain",
		Closed:              "a final Close or Drain",
	},
	Handshake: {
		NegotiatingVersions: "HandleStage: established",
		Authenticating:      "HandleStage: established, and the API versions are known",
		Connected:           "HandleStage: established, the API versions are known, and there is no login",
		Disconnected:        "HandleLost, HandleTimeout, Close, Drain",
		Closed:              "a final Close or Drain",
	},
	NegotiatingVersions: {
		Authenticating: "HandleRead: the API versions",
		Connected:      "HandleRead: the API versions, and there is no login",
		Disconnected:   "HandleRead of an error, HandleLost, HandleTimeout, Close, Drain",
		Closed:         "a final Close or Drain",
	},
	Authenticating: {
		Connected:    "HandleRead or HandleToken: the login is over",
		Disconnected: "HandleRead or HandleToken of an error, HandleLost, HandleTimeout, Close, Drain",
		Closed:       "a final Close or Drain",
	},
	Connected: {
		Disconnected: "HandleRead of an error, HandleLost, HandleTimeout, Close, the end of a Drain or of a session",
		Closed:       "a final Close, or the end of a final Drain",
	},
	Closed: {},
}

func (s State) mayBecome(to State) bool {
	_, ok := moves[s][to]
	return ok
}

// Down reports whether there is neither a connection nor an attempt to make one.
func (s State) Down() bool { return s == Disconnected || s == Closed }

// SettingUp reports whether a connection is being made.
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

var conditionNames = [...]string{"serving", "reauthenticating", "replacing", "draining", "closing"}

func (c condition) String() string { return nameOf(conditionNames[:], int(c), "unknown condition") }

// Conditions returns the names of the conditions of a Connected connection.
func Conditions() []string { return conditionNames[:] }

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
