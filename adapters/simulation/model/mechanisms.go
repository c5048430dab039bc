package model

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
	"sync"
)

// refusal is an error with the text of a broker.
type refusal string

func (r refusal) Error() string { return string(r) }

const (
	errOtherPrincipal refusal = "Cannot change principals during re-authentication"
	errOpen           refusal = "there are no logins"
	errPlain          refusal = "Authentication failed: Invalid username or password"
	errBearer         refusal = "Authentication failed: Invalid OAUTHBEARER client first message"
	errSCRAM          refusal = "Authentication failed due to invalid credentials with SASL mechanism "
)

// Plain is the mechanism PLAIN (RFC 4616) with the passwords of users.
func Plain(passwords map[string]string) Mechanism {
	return Mechanism{"PLAIN", func() Exchange {
		return func(token []byte) ([]byte, string, error) {
			parts := strings.Split(string(token), "\x00")
			if len(parts) != 3 || parts[1] == "" || passwords[parts[1]] != parts[2] {
				return nil, "", errPlain
			}
			return []byte{}, parts[1], nil
		}
	}}
}

// Scripted is a mechanism whose exchange answers each token with the next of the challenges, and
// is over with the last one. It serves for mechanisms whose tokens the model does not know.
func Scripted(name string, challenges ...[]byte) Mechanism {
	return Mechanism{name, func() Exchange {
		left := challenges
		return func([]byte) (challenge []byte, principal string, err error) {
			if len(left) > 0 {
				challenge, left = left[0], left[1:]
			}
			if len(left) == 0 {
				principal = "client"
			}
			return challenge, principal, nil
		}
	}}
}

// Bearer is the mechanism OAUTHBEARER (RFC 7628). verify returns who a token belongs to, or the
// status of the refusal, which the broker sends as JSON. The client answers with the byte 0x01, and
// the login has failed; or with another token.
func Bearer(verify func(token string) (principal, status string)) Mechanism {
	return Mechanism{"OAUTHBEARER", func() Exchange {
		refused := ""
		return func(message []byte) ([]byte, string, error) {
			if refused != "" && string(message) == "\x01" {
				return nil, "", refusal(fmt.Sprintf("{\"status\":%q}", refused))
			}
			_, rest, _ := bytes.Cut(message, []byte("\x01auth=Bearer "))
			token, _, ok := bytes.Cut(rest, []byte("\x01"))
			if !ok {
				return nil, "", errBearer
			}
			principal, status := verify(string(token))
			if principal == "" {
				refused = status
				return fmt.Appendf(nil, "{\"status\":%q}", status), "", nil
			}
			return []byte{}, principal, nil
		}
	}}
}

// SCRAM is a mechanism of RFC 5802. A server is made of its fields, which a test may give values
// that no broker has.
type SCRAM struct {
	SHA512    bool
	Passwords map[string]string
	// Iterations are 4096 if 0.
	Iterations int
	// Nonce is the server's part; "" is "server".
	Nonce string
	// First and Final, if not nil, change the server's messages.
	First, Final func(string) string
	// Keys, if not nil, keeps the keys that are derived, for the servers that share it: a
	// derivation takes longer than everything else of a login.
	Keys *Keys
}

// Keys are derived keys of passwords. The zero Keys is empty, and is safe for concurrent use.
type Keys struct{ derived sync.Map }

// derivation is what a key is derived from, beside the salt.
type derivation struct {
	sha512     bool
	password   string
	iterations int
}

func (s *scramServer) salted(password string, newHash func() hash.Hash, size int) []byte {
	from := derivation{s.SHA512, password, s.Iterations}
	if s.Keys != nil {
		if key, ok := s.Keys.derived.Load(from); ok {
			return key.([]byte)
		}
	}
	key, err := pbkdf2.Key(newHash, password, []byte(scramSalt), s.Iterations, size)
	if err != nil {
		panic(err) // the sizes are constants
	}
	if s.Keys != nil {
		s.Keys.derived.Store(from, key)
	}
	return key
}

// Mechanism returns the mechanism.
func (s SCRAM) Mechanism() Mechanism {
	name := "SCRAM-SHA-256"
	if s.SHA512 {
		name = "SCRAM-SHA-512"
	}
	return Mechanism{name, func() Exchange { return (&scramServer{SCRAM: s, name: name}).step }}
}

type scramServer struct {
	SCRAM
	name          string
	user          string
	bare, first   string // the client's first message, the server's
	nonce, header string
}

func (s *scramServer) step(message []byte) ([]byte, string, error) {
	if s.first == "" {
		return s.begin(string(message))
	}
	return s.finish(string(message))
}

const scramSalt = "salt of the model"

func (s *scramServer) begin(message string) ([]byte, string, error) {
	header, bare, ok := cutHeader(message)
	user, nonce := attribute(bare, 'n'), attribute(bare, 'r')
	if !ok || user == "" || nonce == "" {
		return nil, "", s.refusal()
	}
	s.header, s.bare = header, bare
	s.user = strings.NewReplacer("=2C", ",", "=3D", "=").Replace(user)
	own := s.Nonce
	if own == "" {
		own = "server"
	}
	if s.Iterations == 0 {
		s.Iterations = 4096
	}
	s.nonce = nonce + own
	s.first = fmt.Sprintf("r=%s,s=%s,i=%d", s.nonce, base64.StdEncoding.EncodeToString([]byte(scramSalt)), s.Iterations)
	if s.First != nil {
		s.first = s.First(s.first)
	}
	return []byte(s.first), "", nil
}

func (s *scramServer) finish(message string) ([]byte, string, error) {
	without, proof, ok := strings.Cut(message, ",p=")
	sent, err := base64.StdEncoding.DecodeString(proof)
	password, known := s.Passwords[s.user]
	if !ok || err != nil || !known || attribute(without, 'r') != s.nonce ||
		attribute(without, 'c') != base64.StdEncoding.EncodeToString([]byte(s.header)) {
		return nil, "", s.refusal()
	}
	newHash, size := sha256.New, sha256.Size
	if s.SHA512 {
		newHash, size = sha512.New, sha512.Size
	}
	salted := s.salted(password, newHash, size)
	auth := s.bare + "," + s.first + "," + without
	clientKey := mac(newHash, salted, "Client Key")
	stored := newHash()
	stored.Write(clientKey)
	signature := mac(newHash, stored.Sum(nil), auth)
	for i := range signature {
		signature[i] ^= clientKey[i]
	}
	if !hmac.Equal(signature, sent) {
		return nil, "", s.refusal()
	}
	final := "v=" + base64.StdEncoding.EncodeToString(mac(newHash, mac(newHash, salted, "Server Key"), auth))
	if s.Final != nil {
		final = s.Final(final)
	}
	return []byte(final), s.user, nil
}

func (s *scramServer) refusal() error { return errSCRAM + refusal(s.name) }

func mac(newHash func() hash.Hash, key []byte, message string) []byte {
	h := hmac.New(newHash, key)
	h.Write([]byte(message))
	return h.Sum(nil)
}

// cutHeader splits the client's first message behind the GS2 header.
func cutHeader(message string) (header, bare string, ok bool) {
	flag, rest, _ := strings.Cut(message, ",")
	name, bare, ok := strings.Cut(rest, ",")
	return flag + "," + name + ",", bare, ok
}

// attribute returns the value of an attribute of a SCRAM message.
func attribute(message string, name byte) string {
	for part := range strings.SplitSeq(message, ",") {
		if len(part) > 1 && part[0] == name && part[1] == '=' {
			return part[2:]
		}
	}
	return ""
}
