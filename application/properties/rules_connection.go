package properties

import (
	"slices"

	"brokerconn/application/broker"
)

// judgeConnection looks for contradictions.
func (r *reader) judgeConnection() {
	base, most := r.given[backoffKey], r.given[backoffMaxKey]
	if c := &r.s.Connection; base != nil && most != nil && !r.bad[backoffKey] && !r.bad[backoffMaxKey] && c.ReconnectBackoff > c.ReconnectBackoffMax {
		r.refuse(most, "%s is less than %s, %s: at least as much, or leave it out", quoted(most), base.Key, quoted(base))
		r.bad[backoffMaxKey] = true
	}
	r.judgeVersion()
	r.judgeConfig()
}

// judgeConfig refuses what broker would, under the keys that gave it.
func (r *reader) judgeConfig() {
	joined, bad := r.s.Connection.Check().(interface{ Unwrap() []error })
	if !bad {
		return
	}
	for _, err := range joined.Unwrap() {
		config := err.(*broker.ConfigError)
		i := slices.IndexFunc(connectionSettings, func(s *setting) bool { return s.field == config.Setting && r.has(s) })
		if i < 0 {
			r.problems = append(r.problems, &Error{Key: config.Setting, Problem: config.Problem})
		} else if s := connectionSettings[i]; !r.bad[s] {
			r.refuse(r.given[s], "%s", config.Problem)
		}
	}
}

// judgeVersion: what asks the broker for its versions, and what tells them.
func (r *reader) judgeVersion() {
	c := &r.s.Connection
	fallback := r.given[fallbackVersionKey]
	switch {
	case r.unasked && fallback == nil:
		c.APIVersion = broker.Release{Minor: 10} // librdkafka's default
	case !r.unasked && fallback != nil && !r.bad[fallbackVersionKey]:
		r.ignore(fallback, "not used unless "+r.name(askVersionKey)+" is false")
		c.APIVersion = broker.Release{}
	}
	if p := r.given[versionTimeoutKey]; p != nil && c.APIVersion != (broker.Release{}) {
		r.ignore(p, "the release is given: no broker is asked")
		c.APIVersionTimeout = 0
	}
}
