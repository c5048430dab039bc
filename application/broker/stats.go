package broker

import "brokerconn/domain"

// Stats is a snapshot of a connection, and counts since it was made. Times that were not
// reached are zero.
//
//	State State               the state of the connection
//	Since time.Time           when that state was reached; zero for the first one
//	Address string            the address in use, or used last: "127.0.0.1:9092"
//	Waiting int               requests in the queue of a Conn; 0 for a Polled
//	InFlight int              requests that were admitted and are not done
//	OldestInFlight time.Time  when the oldest of them that awaits a response was passed in; zero if none does
//	PendingBytes int          bytes that wait to be written
//	ThrottledUntil time.Time  until when the broker throttles the connection (KIP-219); it may be past
//	Reauthenticating bool     requests wait until the session is authenticated again
//	SessionEnds time.Time     when the login expires, unless it is renewed before (KIP-368)
//	FailuresInARow int        failures to connect since the connection was last ready
//	BackoffUntil time.Time    when the next attempt to connect may begin; zero or past means now
//	LastError error           why the connection was last lost or could not be made; nil if it was ready since
//	Attempts int64            attempts to connect: races of addresses, or single addresses of a Polled
//	Ready int64               attempts that became ready for requests
//	Reconnects int64          of Ready, those that were not the first
//	Closed int64              attempts and connections that ended
//	ClosedClean int64         of Closed, those ended by the owner, or while idle
//	Logins int64              first logins on a connection that succeeded
//	LoginsFailed int64        first logins on a connection that failed
//	Relogins int64            reauthentications that succeeded (KIP-368)
//	ReloginsFailed int64      reauthentications that failed
//	Requests int64            requests that were admitted
//	Responses int64           of Requests, those answered, or written if they expect no response
//	Failed int64              of Requests, those that ended without a response
//	TimedOut int64            of Failed, those whose timeout passed
//	Throttled int64           responses with a throttle time
//	Stale int64               events of an older connection, which were ignored
//	Refused int64             requests that were not admitted
//	Canceled int64            requests that their callers gave up, admitted or not
//	Stalled int64             requests that were the oldest in flight and older than Config.StallAfter
//	Dropped int64             responses to requests that expect none, which were ignored
//	BytesSent int64           bytes passed to the transport
//	BytesReceived int64       bytes received from the transport
//	LastSent time.Time        when bytes were last sent
//	LastReceived time.Time    when bytes were last received
type Stats = domain.Stats

// Stats returns a snapshot of the connection.
func (c *Conn) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.core.Stats()
	s.Waiting = c.queue.requests
	return s
}

// Stats returns a snapshot of the connection.
func (p *Polled) Stats() Stats { return p.core.Stats() }
