package sim

import "brokerconn/domain"

// moves are the states that may follow each: a way up in which steps may be left out, and down
// from everywhere.
var moves = [...][]domain.State{
	domain.Disconnected: {domain.Connecting, domain.Closed},
	domain.Connecting: {domain.Handshake, domain.NegotiatingVersions, domain.Authenticating, domain.Connected,
		domain.Disconnected, domain.Closed},
	domain.Handshake: {domain.NegotiatingVersions, domain.Authenticating, domain.Connected,
		domain.Disconnected, domain.Closed},
	domain.NegotiatingVersions: {domain.Authenticating, domain.Connected, domain.Disconnected, domain.Closed},
	domain.Authenticating:      {domain.Connected, domain.Disconnected, domain.Closed},
	domain.Connected:           {domain.Disconnected, domain.Closed},
	domain.Closed:              {},
}
