package matrix

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"brokerconn/adapters/sasl/oauthbearer"
	"brokerconn/adapters/sasl/plain"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/adapters/simulation/model"
	"brokerconn/application/sim"
	"brokerconn/application/sim/kerberos"
	"brokerconn/ports"
)

// Logins of a stage: the client's authenticators, those of this project, with goroutines, and for GSSAPI the scripted
// pair of application/sim; and the broker's side of each mechanism, with its faults.

const (
	bubbleUser     = "alice"
	bubblePassword = "canary-of-alice-4711"
	bubbleKey      = "canary-of-the-kdc-5678"
)

// loginFaults are the faults of logins in force. Those with a time last until then; goroutines of the client read
// them too: with the mutex of the stage.
type loginFaults struct {
	denied, noToken, expired, refused time.Time
	layers, noTicket, skewed          time.Time
	slowUntil                         time.Time
	slow                              time.Duration         // what a login asks for takes so long
	first, final                      []func(string) string // changes of the next messages of a server
	handshakes                        []func(*model.Reply)  // changes of the next answers to a SaslHandshake
}

// lasts reports whether a fault lasts.
func (s *stage) lasts(until func(*loginFaults) time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.Now().Before(until(&s.login))
}

// during begins a fault of logins that ends by itself.
func during(of func(*loginFaults) *time.Time) verb {
	return func(s *stage, step sim.Step) {
		now := s.world.Now()
		s.mu.Lock()
		defer s.mu.Unlock()
		*of(&s.login) = now.Add(step.For)
	}
}

// authenticator is that of the client.
func (s *stage) authenticator() ports.Authenticator {
	var auth ports.Authenticator
	var err error
	switch password := ports.NewSecret(bubblePassword); s.plan.Setup.Mechanism {
	case "":
		auth, err = plain.New(plain.Options{Username: bubbleUser, Password: password})
	case "OAUTHBEARER":
		auth, err = oauthbearer.New(oauthbearer.Options{Tokens: s.token, Timeout: -1, Runner: s.work})
	case "GSSAPI":
		return s.kerberos()
	default:
		auth, err = scram.New(scram.SHA256, scram.Options{Username: bubbleUser, Password: password, Runner: s.work})
	}
	if err != nil {
		panic(err) // the options are constants
	}
	return auth
}

// work is the Runner of logins: what they ask for may take its time.
func (s *stage) work(step func()) {
	slow := time.Duration(0)
	if s.lasts(func(f *loginFaults) time.Time { return f.slowUntil }) {
		slow = s.login.slow
	}
	go func() {
		time.Sleep(slow)
		step()
	}()
}

// token returns tokens as an issuer does.
func (s *stage) token(context.Context) (oauthbearer.Token, error) {
	if s.lasts(func(f *loginFaults) time.Time { return f.noToken }) {
		return oauthbearer.Token{}, errors.New("the issuer of tokens is down")
	}
	ends := time.Now().Add(time.Hour)
	if s.lasts(func(f *loginFaults) time.Time { return f.expired }) {
		ends = time.Now().Add(-time.Second)
	}
	return oauthbearer.Token{AccessToken: ports.NewSecret("canary." + rand.Text()), Expiry: ends}, nil
}

// server is the broker's side of the mechanism of the plan.
func (s *stage) server() model.Mechanism {
	users := map[string]string{bubbleUser: bubblePassword}
	final := func(message string) string { return s.spoilServer(&s.login.final, message) }
	switch s.plan.Setup.Mechanism {
	case "":
		return s.deniable(model.Plain(users))
	case "OAUTHBEARER":
		return s.deniable(s.bearer())
	case "GSSAPI":
		return s.deniable(kerberos.Offering(bubbleKey, final, s.layers))
	}
	first := func(message string) string { return s.spoilServer(&s.login.first, message) }
	return s.deniable(model.SCRAM{Passwords: users, First: first, Final: final}.Mechanism())
}

// bearer accepts every token, unless tokens are refused.
func (s *stage) bearer() model.Mechanism {
	m := model.Bearer(func(string) (principal, status string) {
		if s.lasts(func(f *loginFaults) time.Time { return f.refused }) {
			return "", "insufficient_scope"
		}
		return bubbleUser, ""
	})
	return m
}

// deniable is a mechanism whose logins may be refused for a time.
func (s *stage) deniable(m model.Mechanism) model.Mechanism {
	begin := m.Begin
	m.Begin = func() model.Exchange {
		exchange := begin()
		return func(token []byte) ([]byte, string, error) {
			if s.lasts(func(f *loginFaults) time.Time { return f.denied }) {
				return nil, "", errors.New("invalid credentials")
			}
			return exchange(token)
		}
	}
	return m
}

// spoilServer changes a message of the server by the next of the faults.
func (s *stage) spoilServer(faults *[]func(string) string, message string) string {
	if len(*faults) == 0 {
		return message
	}
	change := (*faults)[0]
	*faults = (*faults)[1:]
	return change(message)
}

// spoilHandshake changes an answer to a SaslHandshake by the next of the faults.
func (s *stage) spoilHandshake(r *model.Reply) {
	if r.Key == ports.KeySASLHandshake && len(s.login.handshakes) > 0 {
		change := s.login.handshakes[0]
		s.login.handshakes = s.login.handshakes[1:]
		change(r)
	}
}

func firstSays(change func(string) string) verb {
	return func(s *stage, _ sim.Step) { s.login.first = append(s.login.first, change) }
}

func finalSays(change func(string) string) verb {
	return func(s *stage, _ sim.Step) { s.login.final = append(s.login.final, change) }
}

// iterations returns the first message of a server of SCRAM with another count of iterations.
func iterations(count int) func(string) string {
	return func(message string) string {
		before, _, _ := strings.Cut(message, ",i=")
		return fmt.Sprintf("%s,i=%d", before, count)
	}
}

// garbled returns a message of the same length, and another one.
func garbled(message string) string {
	if begin, rest, ok := strings.Cut(message, "v="); ok { // in base64
		return begin + "v=" + strings.Repeat("A", len(rest)-1) + "="
	}
	return strings.Repeat("A", len(message))
}

// loginVerbs are the faults of logins.
var loginVerbs = map[string]verb{
	"deny":          during(func(f *loginFaults) *time.Time { return &f.denied }),
	"no-token":      during(func(f *loginFaults) *time.Time { return &f.noToken }),
	"expired-token": during(func(f *loginFaults) *time.Time { return &f.expired }),
	"refused-token": during(func(f *loginFaults) *time.Time { return &f.refused }),
	"slow-credentials": func(s *stage, step sim.Step) {
		until := s.world.Now().Add(time.Second)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.login.slowUntil, s.login.slow = until, step.For
	},
	"in-vain": func(s *stage, step sim.Step) {
		s.broker.Login.Unheeded = true
		s.world.At(s.world.Now().Add(step.For), func() { s.broker.Login.Unheeded = false })
	},
	"no-mechanism": func(s *stage, _ sim.Step) { // error 33, with one mechanism
		s.login.handshakes = append(s.login.handshakes, func(r *model.Reply) {
			const offered = "SCRAM-SHA-256"
			body := binary.BigEndian.AppendUint32([]byte{0, 33}, 1)
			body = binary.BigEndian.AppendUint16(body, uint16(len(offered)))
			r.Body, r.Close = append(body, offered...), true
		})
	},
	"weak-iterations": firstSays(iterations(1024)),
	"huge-iterations": firstSays(iterations(2147483647)),
	"bad-nonce":       firstSays(func(message string) string { return "r=another" + message[len("r="):] }),
	"extension":       firstSays(func(message string) string { return "m=must," + message }),
	"bad-proof":       finalSays(garbled),
	"no-proof":        finalSays(func(string) string { return "" }),
	"server-error":    finalSays(func(string) string { return "e=other-error" }),
}
