package properties

import (
	"slices"

	"brokerconn/application/broker"
)

// validateConnection looks for contradictions.
func (r *reader) validateConnection() {
	base, longest := r.given[backoffKey], r.given[backoffMaxKey]
	c := &r.s.Connection
	if base != nil && longest != nil && !r.rejected[backoffKey] && !r.rejected[backoffMaxKey] &&
		c.ReconnectBackoff > c.ReconnectBackoffMax {
		r.reject(longest, "%s is less than %s, %s: at least as much, or leave it out", quoted(longest), base.Key,
			quoted(base))
		r.rejected[backoffMaxKey] = true
	}
	r.validateVersion()
	r.validateConfig()
}

// validateConfig rejects what broker does, under the keys that gave it.
func (r *reader) validateConfig() {
	for _, err := range unjoined(r.s.Connection.Check()) {
		problem := err.(*broker.ConfigError)
		i := slices.IndexFunc(connectionKeys, func(k *key) bool {
			return k.to == "Config."+problem.Setting && r.has(k)
		})
		switch {
		case i < 0:
			r.problems = append(r.problems, &Error{Key: problem.Setting, Problem: problem.Problem})
		case !r.rejected[connectionKeys[i]]:
			r.reject(r.given[connectionKeys[i]], "%s", problem.Problem)
		}
	}
}

// validateVersion looks at the keys that give the release of the broker.
func (r *reader) validateVersion() {
	c := &r.s.Connection
	fallback := r.given[fallbackVersionKey]
	switch {
	case r.unasked && fallback == nil:
		c.APIVersion = broker.Release{Minor: 10} // librdkafka's default
	case !r.unasked && fallback != nil && !r.rejected[fallbackVersionKey]:
		r.ignore(fallback, "not used unless "+r.name(askVersionKey)+" is false")
		c.APIVersion = broker.Release{}
	}
	if p := r.given[versionTimeoutKey]; p != nil && c.APIVersion != (broker.Release{}) {
		r.ignore(p, "the release is given: the broker is not asked for its API versions")
		c.APIVersionTimeout = 0
	}
}
