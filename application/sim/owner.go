package sim

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/domain"
	"brokerconn/ports"
)

// The owner of the connection: it drives it, keeps a queue of requests, and connects when it may.

// request is a request of the owner's.
type request struct {
	number  int64
	message ports.RawRequest
	asked   *kmsg.MetadataRequest // instead of it; see run.ask
	post    bool
	until   time.Time     // when its time in the queue is over
	over    time.Duration // the same, as the world's Elapsed
	handle  handle        // while it is in flight

	at        time.Time     // when it was admitted
	limit     time.Duration // its deadline, without throttle time, as the world's Elapsed
	throttled time.Duration // for how long timers had been paused in all, then
	whole     bool          // it was sent whole
}

// connection is what the owner drives: see core and polled.
type connection interface {
	// work carries out what there is to do. It returns when it is to be called again at the
	// latest; zero: not before Watch calls its function.
	work(now time.Time) (deadline time.Time)
	connect(now time.Time)
	// check connects, if necessary, and asks which release the broker is.
	check(now time.Time, timeout time.Duration, strict bool)
	// delay is that of ConnectionDelay.
	delay(now time.Time) (d time.Duration, forever bool)
	// admits reports whether a request would be admitted, as far as that can be asked.
	admits() bool
	// send returns false if the request is to be sent again later.
	send(now time.Time, q *request) (admitted bool)
	// refuse is the end of a request that was never admitted.
	refuse(now time.Time, q *request)
	// withdraw is the end of one that its caller gave up before.
	withdraw(now time.Time, q *request)
	// cancel returns false for a request that is done, and that the owner has not received yet.
	cancel(now time.Time, q *request) (ok bool)
	close(now time.Time, cause error, final bool)
	drain(now time.Time, final bool)
	renew(now time.Time)
	swap(now time.Time, to []ports.Authenticator)
	watch(wake func()) (again bool)

	state() domain.State
	// condition is that of a Connected connection, "" if it is not known.
	condition() string
	// load is how many responses are due, and how many requests are in flight.
	load() (due, inFlight int)
	stats() domain.Stats
}

// drive does what the owner of a connection does: it carries out everything, and connects again
// when it may.
func (r *run) drive() {
	r.check.calls = 0
	if !r.stopped.IsZero() && !r.isStopped() { // what was due meanwhile comes first
		r.stopped = time.Time{}
		r.conn.work(r.w.Now())
	}
	if len(r.acts) > 0 {
		r.perform()
	}
	for {
		deadline := r.conn.work(r.w.Now())
		if r.wanted && r.check.state.Down() && r.connects(&deadline) {
			continue
		}
		if len(r.queue) > 0 {
			if r.admit() {
				continue
			}
			if len(r.queue) > 0 {
				deadline = sooner(deadline, r.queue[0].until)
			}
		}
		if deadline != r.wakes { // most events leave it as it is
			r.setAlarm(deadline)
		}
		if !r.conn.watch(r.wake) {
			return
		}
	}
}

// perform does what the owner is to do.
func (r *run) perform() {
	for i := 0; i < len(r.acts); i++ { // each may let time pass, and others become due
		if i > 0 && !r.acts[i-1].requests() { // of a time in which the owner was stopped
			r.conn.work(r.w.Now())
		}
		r.act(r.acts[i])
	}
	r.acts = r.acts[:0]
}

// setAlarm makes the world wake the owner at a time; zero: at none. An alarm that is early enough is
// left as it is: most are put off again and again.
func (r *run) setAlarm(at time.Time) {
	r.wakes = at
	if !at.IsZero() && (r.alarmAt.IsZero() || at.Before(r.alarmAt)) {
		r.alarmAt = at
		r.alarm.Set(at)
	}
}

// alarmed is the time to which the alarm was set.
func (r *run) alarmed() {
	r.alarmAt = time.Time{}
	switch {
	case r.wakes.IsZero():
	case r.w.Now().Before(r.wakes):
		r.setAlarm(r.wakes)
	default:
		r.wakes, r.awake = time.Time{}, true
	}
}

// connects connects, as the owner wants, if the backoff is over; otherwise it sees to being asked
// again in time.
func (r *run) connects(deadline *time.Time) bool {
	now := r.w.Now()
	wait, forever := r.conn.delay(now)
	if forever {
		return false
	}
	if wait > 0 {
		*deadline = now.Add(wait)
		return false
	}
	r.cover.event(eventConnect)
	r.conn.connect(now)
	return true
}

// send puts a request into the owner's queue.
func (r *run) send(size int, post bool) {
	q := r.enqueue()
	q.post = post
	q.write(r.memory, size)
}

// enqueue puts a request into the queue that has no message yet.
func (r *run) enqueue() *request {
	r.wanted = true
	r.serial++
	q := r.memory.newRequest()
	q.number, q.until, q.over = r.serial, r.w.Now().Add(queueTime), r.w.Elapsed()+queueTime
	r.queue = append(r.queue, q)
	return q
}

// request returns the message to send.
func (q *request) request() ports.Message {
	if q.asked != nil {
		return q.asked
	}
	return &q.message
}

// queueTime is how long a request waits to be admitted.
const queueTime = 20 * time.Second

// admit sends what waits, as far as it is admitted.
func (r *run) admit() (sent bool) {
	now, elapsed := r.w.Now(), r.w.Elapsed()
	for len(r.queue) > 0 {
		q := r.queue[0]
		r.check.offered = q
		switch {
		case elapsed >= q.over:
			r.trace.gaveUp(now, q.number)
			r.story.said("gives up request %d, which was never admitted", q.number)
			r.watcher.completed(r.w.Elapsed(), q.number, domain.ErrNotReady)
			r.conn.refuse(now, q)
		case !r.conn.admits():
			return sent
		default:
			r.cover.event(eventAdmit)
			if !r.conn.send(now, q) {
				return sent
			}
			sent = true
		}
		r.queue = without(r.queue, 0)
	}
	return sent
}

// without removes request i. Most are alone in their list, or the last.
func without(list []*request, i int) []*request {
	if last := len(list) - 1; i == last {
		list[last] = nil
		return list[:last]
	}
	return slices.Delete(list, i, i+1)
}

// admitted is a request that the connection has taken.
func (r *run) admitted(q *request, h handle) {
	r.Requests++
	q.handle = h
	r.pending = append(r.pending, q)
}

// write makes the message of a request: its number, and zeros behind it.
func (q *request) write(m *memory, size int) {
	q.message = ports.RawRequest{APIKey: keyEcho, NoResponse: q.post}
	number := 0 // where it begins
	if q.post {
		q.message.APIKey, q.message.APIVersion = keyProduce, 2
		number = 2 // behind the acks: none
	}
	q.message.Body = m.newBody(number + 8 + size)
	binary.BigEndian.PutUint64(q.message.Body[number:], uint64(q.number))
}

// completed is the end of a request.
func (r *run) completed(now time.Time, q *request, body []byte, answer ports.Message, err error) {
	if q.asked != nil && err == nil {
		body = binary.BigEndian.AppendUint64(nil, uint64(numberInAnswer(answer)))
	}
	r.trace.completed(now, q.number, err)
	r.story.completed(q.number, err)
	r.watcher.completed(r.w.Elapsed(), q.number, err)
	r.check.completed(q, body, err)
	if i := slices.Index(r.pending, q); i >= 0 {
		r.pending = without(r.pending, i)
	}
	q.handle = handle{}
}

// cancel gives up the nth of the requests in flight, or the last one.
func (r *run) cancel(n int) {
	if len(r.pending) == 0 {
		return
	}
	n = min(n, len(r.pending)-1)
	q := r.pending[n]
	if !r.conn.cancel(r.w.Now(), q) {
		return
	}
	r.pending = without(r.pending, n)
	r.check.canceled(q)
	r.story.canceled(q)
	r.watcher.completed(r.w.Elapsed(), q.number, domain.ErrCanceled)
	q.handle = handle{}
}

// A Polled is never closed for good.

func (r *run) close(final bool) {
	final = final && !r.plan.Setup.Polled
	r.final, r.closed = r.final || final, r.w.Now()
	r.conn.close(r.w.Now(), nil, final)
}

func (r *run) drain(final bool) {
	final = final && !r.plan.Setup.Polled
	r.final = r.final || final
	r.conn.drain(r.w.Now(), final)
}

// renew asks for a login.
func (r *run) renew() {
	r.check.wanted = r.w.Now()
	r.conn.renew(r.w.Now())
}

// dial makes another connection once the last one is closed for good.
func (r *run) dial() {
	switch {
	case r.conn.state() == domain.Closed:
		r.final = false
		r.check.dialed()
		r.connection()
	case r.final:
		r.w.At(r.w.Now().Add(backoffBase), func() {
			r.acts, r.awake = append(r.acts, Step{Verb: "dial"}), true
		})
	}
}
