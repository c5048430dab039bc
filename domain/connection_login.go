package domain

import (
	"errors"
	"strings"
	"time"

	"brokerconn/ports"
)

// A login as the Connection sees it: an exchange of one of the authenticators, from
// the first challenge until it is over, on its way up or to renew a session.

func mechanismsOf(list []ports.Authenticator) (all []Mechanism) {
	for _, a := range list {
		name := a.Mechanism()
		exposes := name != mechanismKerberos && !strings.HasPrefix(name, "SCRAM-") // unless it says otherwise
		if e, ok := a.(ports.Exposer); ok {
			exposes = e.Exposes()
		}
		all = append(all, Mechanism{Name: name, Exposes: exposes})
	}
	return all
}

// SetAuthenticators replaces the authenticators; see [Machine.SetMechanisms].
func (c *Connection) SetAuthenticators(now time.Time, list []ports.Authenticator) (closing bool) {
	c.ports.Authenticators = list
	return c.m.SetMechanisms(now, mechanismsOf(list))
}

var errReplaced = errors.New("the authenticator was replaced")

func (c *Connection) challenge(now time.Time, out *Output) {
	begin := out.Data == nil
	var a ports.Authenticator
	if begin {
		if a = c.authenticator(out.Mechanism); a == nil {
			c.m.HandleToken(now, out.Epoch, nil, false, errReplaced)
			return
		}
		c.forget()
	}
	c.asked = true
	c.guard("authenticator", func() {
		if begin {
			c.exchange = a.Begin(out.Endpoint)
		}
		c.exchange.Next(out.Data)
	})
}

// authenticator finds the one for a mechanism; nil if it was replaced since the login
// began, or may not be used by the list that is in force now.
func (c *Connection) authenticator(mechanism string) ports.Authenticator {
	if i := c.m.mechanismIndex(mechanism); i >= 0 && c.m.mayContinue(i) {
		return c.ports.Authenticators[i]
	}
	return nil
}

// dismiss forgets the exchange of a login that is over. broken: it panicked.
func (c *Connection) dismiss() (broken bool) {
	if c.m.loggingIn() {
		return false
	}
	c.forget()
	return c.m.isBroken()
}

func (c *Connection) forget() {
	exchange := c.exchange
	c.exchange, c.asked = nil, false
	if exchange != nil {
		c.guard("authenticator", exchange.Close)
	}
}

// listenExchange asks the exchange that was asked.
func (c *Connection) listenExchange(now time.Time) bool {
	var token []byte
	var done bool
	err := ports.ErrWouldBlock
	c.guard("authenticator", func() { token, done, err = c.exchange.Result() })
	if ports.WouldBlock(err) {
		return c.m.isBroken()
	}
	c.asked = false
	if h, ok := c.exchange.(ports.Hinter); ok && err == nil {
		c.guard("authenticator", func() { c.m.setHintRefused(h.Hint()) })
	}
	c.m.HandleToken(now, c.epoch, token, done, err)
	return true
}

// LogsIn reports whether there is an authenticator.
func (c *Connection) LogsIn() bool { return len(c.ports.Authenticators) > 0 }
