package cuts

import (
	"strings"
	"time"

	"brokerconn/domain"
)

// What a record shows of its connections.

// steps are what the client reports as achieved on a connection, with the positions at which it does.
func (r *record) steps(link int) (list []entry) {
	for _, e := range r.log {
		up := e.from != e.to && !e.to.Down() && e.to != domain.Connecting
		achieved := e.event == domain.EventVersions || e.event == domain.EventAuthDone && e.err == nil
		if e.link == link && (up || achieved) {
			list = append(list, e)
		}
	}
	return list
}

// loss returns the first loss of a connection.
func (r *record) loss(link int) *entry {
	for i := range r.log {
		if e := &r.log[i]; e.link == link && e.from != e.to && e.to.Down() {
			return e
		}
	}
	return nil
}

// attempt returns when the attempt begins to which a connection belongs: one may follow another.
func (r *record) attempt(link int) time.Duration {
	for link > 1 && r.loss(link-1).from != domain.Connected {
		link--
	}
	return r.links[link-1].began
}

// asks returns the requests that the broker received, as the table has them.
func (r *record) asks() string {
	var list []string
	for _, l := range r.links {
		list = append(list, strings.Join(l.asks, ", "))
	}
	return strings.Join(list, "|")
}
