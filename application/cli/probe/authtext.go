package probe

import (
	"fmt"
	"strings"
	"time"
)

// authDocument is the answer of auth.
type authDocument struct {
	Broker        string     `json:"broker"`
	Mechanisms    []string   `json:"mechanisms"` // null: the broker did not name them
	Login         *attempt   `json:"login"`      // null: not tried, or not reached
	SessionMillis int64      `json:"session_ms"` // 0: no limit
	Renewal       *attempt   `json:"renewal"`    // null: not tried
	Error         *errorInfo `json:"error"`      // null: no failure

	configured bool // the properties configure a login
}

// attempt is one login.
type attempt struct {
	Mechanism  string  `json:"mechanism"`
	OK         bool    `json:"ok"`
	TookMillis float64 `json:"took_ms"`
	Error      string  `json:"error,omitempty"`

	err          error
	illegalState bool // error 34: the broker does not support reauthentication
}

func (d authDocument) text() string {
	var b strings.Builder
	line := func(what, format string, args ...any) {
		fmt.Fprintf(&b, "%-11s %s\n", what, oneLine(fmt.Sprintf(format, args...)))
	}
	if d.Mechanisms != nil {
		line("mechanisms", "%s", strings.Join(d.Mechanisms, " "))
	}
	switch l := d.Login; {
	case !d.configured:
		line("login", "not tried: none is configured")
	case l == nil:
	case !l.OK:
		line("login", "%s failed, after %v ms", l.Mechanism, l.TookMillis)
	default:
		line("login", "%s, in %v ms", l.Mechanism, l.TookMillis)
		if d.SessionMillis == 0 {
			line("session", "no limit")
		} else {
			line("session", "%v; reauthentication is due after 85 to 95 %% of it",
				time.Duration(d.SessionMillis)*time.Millisecond)
		}
	}
	switch r := d.Renewal; {
	case r == nil:
	case r.OK:
		line("renewal", "on the same connection, in %v ms", r.TookMillis)
	case r.illegalState:
		line("renewal", "not supported by the broker (connections.max.reauth.ms is not set)")
	case r.err == nil:
		line("renewal", "%s", r.Error)
	default:
		line("renewal", "failed, after %v ms", r.TookMillis)
	}
	return b.String()
}
