package sim

import (
	"encoding/binary"
	"slices"
	"time"

	"brokerconn/domain"
	"brokerconn/ports"
)

// The owner of the connection: it drives it, keeps a queue of requests, and connects when it may.

// request is a request of the owner's.
type request struct {
	number int64
	size   int // of its body, beyond the number
	post   bool
	until  time.Time // when its time in the queue is over
	future *domain.Future
}

// drive does what the owner of a connection does: it carries out everything, and connects again
// when it may.
func (r *run) drive() {
	if !r.due.IsZero() && !r.w.Now().Before(r.due) {
		r.cover.event(eventTimer)
	}
	for outputs := 0; ; outputs++ {
		if outputs > maxBusy {
			r.check.fail("goes on", "the connection has %d outputs at one instant", outputs)
			return
		}
		now := r.w.Now()
		switch out := r.conn.Step(now, len(r.queue) > 0); out.Kind {
		case domain.Changed:
			r.trace.changed(now, out)
			r.check.changed(now, out)
		case domain.Noted:
			r.trace.noted(now, out.Event)
			r.check.noted(now, out.Event)
		case domain.Completed:
			r.completed(now, out.Future)
		case domain.Idle:
			r.due = out.Deadline
			if r.connects(now, &out.Deadline) || r.admit(now) {
				continue
			}
			if len(r.queue) > 0 && (out.Deadline.IsZero() || r.queue[0].until.Before(out.Deadline)) {
				out.Deadline = r.queue[0].until
			}
			if out.Deadline.IsZero() {
				r.alarm.Stop()
			} else {
				r.alarm.Set(out.Deadline)
			}
			if !r.conn.Watch(r.wake) {
				return
			}
		}
	}
}

// connects connects if the owner wants that and the backoff is over; otherwise it sees to being
// asked again in time.
func (r *run) connects(now time.Time, deadline *time.Time) bool {
	if !r.wanted || !r.conn.State().Down() {
		return false
	}
	wait, forever := r.conn.ConnectionDelay(now)
	if forever {
		return false
	}
	if wait > 0 {
		*deadline = now.Add(wait)
		return false
	}
	r.cover.event(eventConnect)
	r.conn.Connect(now, domain.ConnectOptions{})
	return true
}

// send puts a request into the owner's queue.
func (r *run) send(size int, post bool) {
	r.wanted = true
	r.serial++
	r.queue = append(r.queue, &request{number: r.serial, size: size, post: post, until: r.w.Now().Add(queueTime)})
}

// queueTime is how long a request waits to be admitted.
const queueTime = 20 * time.Second

// admit sends what waits, as far as it is admitted.
func (r *run) admit(now time.Time) (sent bool) {
	for len(r.queue) > 0 {
		switch q := r.queue[0]; {
		case !now.Before(q.until):
			r.trace.gaveUp(now, q.number)
			r.conn.NoteRefused(now, q.message())
		case r.conn.CanSend() != nil:
			return sent
		default:
			r.submit(now, q)
			sent = true
		}
		r.queue = r.queue[1:]
	}
	return sent
}

// submit sends a request that is admitted.
func (r *run) submit(now time.Time, q *request) {
	r.cover.event(eventAdmit)
	f, err := r.conn.Send(now, q.message(), 0)
	if err != nil {
		r.check.fail("admitted as said", "CanSend said yes, and Send: %v", err)
		return
	}
	r.Requests++
	q.future, f.Tag = f, q
	r.pending = append(r.pending, q)
	r.check.sent(q)
}

// message is the request as it is sent: its number, and zeros behind it.
func (q *request) message() *ports.RawRequest {
	if q.post {
		body := make([]byte, 10+q.size) // no acks
		binary.BigEndian.PutUint64(body[2:], uint64(q.number))
		return &ports.RawRequest{APIKey: 0, APIVersion: 2, Body: body, NoResponse: true}
	}
	body := make([]byte, 8+q.size)
	binary.BigEndian.PutUint64(body, uint64(q.number))
	return &ports.RawRequest{APIKey: keyEcho, Body: body}
}

func (r *run) completed(now time.Time, f *domain.Future) {
	q := f.Tag.(*request)
	r.trace.completed(now, q.number, f)
	r.check.completed(q, f)
	r.pending = slices.DeleteFunc(r.pending, func(p *request) bool { return p == q })
	q.future = nil
	r.conn.Recycle(f)
}

// cancel gives up the nth of the requests in flight, or the last one.
func (r *run) cancel(n int) {
	if len(r.pending) == 0 {
		return
	}
	n = min(n, len(r.pending)-1)
	q := r.pending[n]
	r.conn.NoteCanceled(r.w.Now(), q.future.Request, q.future)
	r.conn.Abandon(q.future)
	q.future = nil
	r.check.canceled(q)
	r.pending = slices.Delete(r.pending, n, n+1)
}

func (r *run) close(final bool) {
	r.final = r.final || final
	r.conn.Close(r.w.Now(), nil, final)
}

func (r *run) drain(final bool) {
	r.final = r.final || final
	r.conn.Drain(r.w.Now(), final)
}

// dial makes another connection once the last one is closed for good.
func (r *run) dial() {
	switch {
	case r.conn.State() == domain.Closed:
		r.final, r.due = false, time.Time{}
		r.check.dialed()
		r.connection()
	case r.final:
		r.w.At(r.w.Now().Add(backoffBase), r.dial)
	}
}

func (r *run) renew() { r.conn.Reauthenticate(r.w.Now()) }
