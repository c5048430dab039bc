package domain

import (
	"time"

	"brokerconn/ports"
)

// OutputKind says what an [Output] asks for or reports.
type OutputKind uint8

const (
	// Idle: nothing more to do before the Deadline (zero: none). The owner may
	// wait now, and only now.
	Idle OutputKind = iota
	// Resolve: look up the configured host; answer with HandleAddresses.
	Resolve
	// Open: open a link to the Endpoint, with Config.Race to one of the Endpoints; answer with
	// HandleTry and HandleStage.
	Open
	// Transmit: write Data; answer with HandleWritten, once. Data stays valid
	// until that call counted it.
	Transmit
	// Challenge: hand Data to the authenticator for Mechanism (nil: begin a login, also
	// on a connection that is Connected); answer with HandleToken. Data stays valid until the next call of Next.
	Challenge
	// Hangup: close the link, or give up what leads to one, and forget the
	// exchange.
	Hangup
	// Completed: Future is done.
	Completed
	// Changed: the state went From one To another, because of Err if it went
	// down. The callbacks for states are called now.
	Changed
	// Noted: the Event is for observers; only with Config.Trace and
	// TraceRequests.
	Noted
)

var outputNames = [...]string{
	"Idle", "Resolve", "Open", "Transmit", "Challenge", "Hangup", "Completed", "Changed", "Noted",
}

func (k OutputKind) String() string { return nameOf(outputNames[:], int(k), "unknown output") }

// Output is what Next returns. Which fields are set depends on Kind.
type Output struct {
	Kind     OutputKind
	From, To State          // Changed
	Epoch    uint64         // Resolve, Open, Transmit, Challenge: of the event that answers it
	Deadline time.Time      // Idle
	Endpoint ports.Endpoint // Open, Changed (the last one in use)
	// Endpoints are dialed in a race, one after the other as Delay passes; none without
	// Config.Race.
	Endpoints []ports.Endpoint
	Delay     time.Duration
	Data      []byte // Transmit, Challenge
	// Mechanism is of the login that a Challenge belongs to.
	Mechanism string
	Future    *Future // Completed
	Err       error   // Changed
	Event     *Event  // Noted
}

// EventKind says what an [Event] reports.
type EventKind uint8

const (
	EventResolveStart         EventKind = iota // a lookup begins
	EventResolveDone                           // it ended: Endpoints or Err
	EventDialStart                             // a dial begins: Endpoint
	EventDialDone                              // the address was reached, or Err
	EventTLSHandshakeDone                      // the TLS handshake ended, perhaps with Err
	EventVersions                              // the broker's table is known: Versions
	EventReleaseDetected                       // a broker without ApiVersions was taken for an old release: Versions
	EventAPIsLeftOut                           // the table leaves out a part of the answer: Versions.LeftOut
	EventAuthStart                             // a login begins: Login
	EventAuthDone                              // it ended, perhaps with Err
	EventPlaintextCredentials                  // a login shows an unverified peer its secret; reported once: Login
	EventWritten                               // the last byte of Request was handed to the transport
	EventAnswered                              // Request was answered; Completed follows
	EventThrottled                             // nothing may be sent before Until
	EventStalled                               // Request is the oldest in flight, and older than Config.StallAfter
	EventIdle                                  // it was closed, since nothing was sent or received
	EventIdleLost                              // it was lost for Err, and nothing was in flight
	EventWarning                               // Text is what the owner of the configuration should know
	EventFailed                                // Request was given up, and then failed for Err; no Completed follows
)

// Event is one thing that happened on a connection.
type Event struct {
	Kind      EventKind
	Time      time.Time
	Endpoint  ports.Endpoint
	Endpoints []ports.Endpoint
	Login     LoginInfo
	Versions  *Versions
	Request   RequestInfo
	Until     time.Time
	Text      string
	Err       error
}

// outbox is the queue between the machine's methods and Next.
type outbox struct {
	items []item
	head  int
	next  *Output   // what next returned last
	spare []*Output // memory of other outputs, which are zero
	notes []*Event  // memory of events
}

// item is one of: the Future of a Completed, the Event of a Noted, the requests of a dropped
// connection, which fail one by one when their turn comes, or a less frequent output.
type item struct {
	done    *Future
	event   *Event
	failing *failing
	other   *Output
}

// want puts an output that is not about a request. Its other fields are set by the caller.
func (o *outbox) want(kind OutputKind) (other *Output) {
	if last := len(o.spare) - 1; last >= 0 {
		other, o.spare = o.spare[last], o.spare[:last]
	} else {
		other = new(Output)
	}
	other.Kind = kind
	o.put(item{other: other})
	return other
}

// note puts a zero event, to be completed by the caller.
func (o *outbox) note() (e *Event) {
	e = o.zeroEvent()
	o.put(item{event: e})
	return e
}

func (o *outbox) zeroEvent() (e *Event) {
	last := len(o.notes) - 1
	if last < 0 {
		return new(Event)
	}
	e, o.notes = o.notes[last], o.notes[:last]
	return e
}

// fresh returns a zero output in the memory of the one that was returned last. The event of that is used again,
// unless it was taken out.
func (o *outbox) fresh() *Output {
	out := o.next
	if out.Kind == Idle {
		out.Deadline = time.Time{} // all that was set
		return out
	}
	if e := out.Event; e != nil {
		*e = Event{}
		o.notes = append(o.notes, e)
	}
	*out = Output{}
	return out
}

// take returns an output that was popped, in place of the fresh one.
func (o *outbox) take(other *Output) *Output {
	o.spare = append(o.spare, o.next)
	o.next = other
	return other
}

func (o *outbox) put(it item) { o.items = append(o.items, it) }

func (o *outbox) empty() bool { return o.head == len(o.items) }

func (o *outbox) front() *item {
	if o.head == len(o.items) {
		return nil
	}
	return &o.items[o.head]
}

func (o *outbox) pop() {
	o.items[o.head] = item{}
	o.head++
	if o.head == len(o.items) {
		o.items, o.head = o.items[:0], 0
	}
}
