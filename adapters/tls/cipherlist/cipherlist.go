// Package cipherlist reads cipher lists in OpenSSL's language (openssl-ciphers(1),
// version 3.2 and later, which takes IANA's names too):
//
//	HIGH:!aNULL:-SHA:ECDHE+AESGCM,TLS_RSA_WITH_AES_128_GCM_SHA256 @SECLEVEL=2
//
//	word         adds the suites of the word; words joined by + add those of all of them
//	-word        removes them; a later word may add them again
//	!word        removes them for good
//	+word        moves them to the end
//	@STRENGTH    sorts
//	@SECLEVEL=n  removes the suites below level n, anywhere in the list
//	DEFAULT      only at the very beginning: ALL:!COMPLEMENTOFDEFAULT:!eNULL
//	SUITEB...    only at the very beginning; the rest is ignored
//
// The separators are : , ; and blank. An unknown word is ignored with all words joined
// to it; so is a word for algorithms that crypto/tls lacks. Case matters.
//
// The result is a set of crypto/tls's suites up to TLS 1.2:
//
//   - crypto/tls orders suites itself. +word and @STRENGTH change nothing.
//   - The suites of TLS 1.3 are always on and cannot be selected.
//     (OpenSSL has a second setting for them.)
//   - @SECLEVEL applies to suites only, not to keys and signatures. The default is
//     level 2, as in OpenSSL from 3.2 on, and in Debian's before.
//   - RC4 and 3DES are selected only where a word names them, RC4 only with
//     @SECLEVEL=0 or 1 as well. An OpenSSL built with enable-weak-ssl-ciphers selects
//     them for ALL or MEDIUM too.
package cipherlist

import (
	"errors"
	"fmt"
	"strings"

	"brokerconn/adapters/internal/fault"
)

// Parse returns the suites that a list selects, for Config.CipherSuites of crypto/tls.
// It returns an error for a list that selects none, and for one that OpenSSL cannot
// read.
func Parse(list string) ([]uint16, error) {
	s := &selection{level: 2, state: make([]suiteState, len(suites))}
	if err := s.read(list); err != nil {
		return nil, fmt.Errorf("cipher list %q: %w", shortened(list), err)
	}
	ids, below := s.result()
	if len(ids) == 0 {
		return nil, fmt.Errorf("cipher list %q: %s", shortened(list), s.nothing(below))
	}
	return ids, nil
}

func (s *selection) read(list string) error {
	switch {
	case strings.HasPrefix(list, "SUITEB128ONLY"):
		list = "ECDHE-ECDSA-AES128-GCM-SHA256"
	case strings.HasPrefix(list, "SUITEB128C2"), strings.HasPrefix(list, "SUITEB192"):
		list = "ECDHE-ECDSA-AES256-GCM-SHA384"
	case strings.HasPrefix(list, "SUITEB128"):
		list = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
	case strings.HasPrefix(list, "DEFAULT"):
		list = list[len("DEFAULT"):]
		if err := s.items("ALL:!COMPLEMENTOFDEFAULT:!eNULL"); err != nil {
			return err
		}
	}
	return s.items(list)
}

// selection is the result of the items so far.
type selection struct {
	state []suiteState // of suites
	level int

	foreign []string // words for no suite of crypto/tls
}

type suiteState uint8

const (
	off suiteState = iota
	on
	killed
)

func (s *selection) items(list string) error {
	for rest := list; rest != ""; {
		switch c := rest[0]; {
		case strings.IndexByte(separators, c) >= 0:
			rest = rest[1:]
		case c == '@':
			command, after := word(rest[1:])
			if err := s.command(command); err != nil {
				return err
			}
			rest = nextItem(after)
		default:
			op := byte(0)
			if strings.IndexByte("-+!", c) >= 0 {
				op, rest = c, rest[1:]
			}
			item := rest
			p, after, err := s.pattern(rest)
			if err != nil {
				return err
			}
			rest = after
			if !s.apply(op, p) && op == 0 && !p.none {
				s.foreign = append(s.foreign, item[:len(item)-len(rest)])
			}
		}
	}
	return nil
}

// pattern reads words joined by +. If one is unknown, the whole item up to the next
// separator is ignored.
func (s *selection) pattern(text string) (p pattern, rest string, err error) {
	for first := true; ; first = false {
		w, after := word(text)
		if w == "" {
			return p, "", badItem(text)
		}
		q, known := words[w]
		if !known {
			s.foreign = append(s.foreign, w)
			return nothing, nextItem(after), nil
		}
		if first {
			p = q
		} else if p = p.and(q); p.none {
			return nothing, nextItem(after), nil
		}
		if !strings.HasPrefix(after, "+") {
			return p, after, nil
		}
		text = after[1:]
	}
}

// apply applies one item and reports whether a suite matches it.
func (s *selection) apply(op byte, p pattern) (any bool) {
	for i := range suites {
		if !p.matches(&suites[i]) || op == 0 && suites[i].weak() && !p.weak {
			continue
		}
		any = true
		switch state := &s.state[i]; {
		case *state == killed:
		case op == '!':
			*state = killed
		case op == '-':
			*state = off
		case op == 0:
			*state = on
		}
	}
	return any
}

func (s *selection) command(name string) error {
	level, ok := strings.CutPrefix(name, "SECLEVEL=")
	switch {
	case name == "STRENGTH":
		return nil
	case ok && len(level) == 1 && level[0] >= '0' && level[0] <= '5':
		s.level = int(level[0] - '0')
		return nil
	}
	return fmt.Errorf("@%s is not a command: want @STRENGTH or @SECLEVEL=0 to 5", shortened(name))
}

// result returns the selected suites, and the names of those below the level.
func (s *selection) result() (ids []uint16, below []string) {
	for i := range suites {
		switch {
		case s.state[i] != on:
		case suites[i].allowedAt(s.level):
			ids = append(ids, suites[i].id)
		default:
			below = append(below, suites[i].name)
		}
	}
	return ids, below
}

// nothing returns why no suite remains.
func (s *selection) nothing(below []string) string {
	why := "it selects nothing"
	switch {
	case len(below) > 0:
		why = fmt.Sprintf("its suites (%s) are below security level %d; set a lower one with @SECLEVEL=n",
			shortened(strings.Join(below, " ")), s.level)
	case len(s.foreign) > 0:
		why += ": crypto/tls has no suite for " + shortened(strings.Join(s.foreign, " "))
	}
	return why + "; use a list such as ECDHE+AESGCM:ECDHE+CHACHA20; the suites of TLS 1.3 are always on and cannot " +
		"be selected"
}

const separators = ":,; "

// word cuts off the letters of a word.
func word(text string) (w, rest string) {
	rest = strings.TrimLeftFunc(text, isWord)
	return text[:len(text)-len(rest)], rest
}

func isWord(c rune) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' || strings.ContainsRune("-_.=", c)
}

// nextItem skips the rest of an item.
func nextItem(text string) string {
	return strings.TrimLeftFunc(text, func(c rune) bool { return !strings.ContainsRune(separators, c) })
}

func badItem(text string) error {
	if text == "" || strings.IndexByte(separators, text[0]) >= 0 {
		return errors.New("an operator has no word after it")
	}
	return fmt.Errorf("no word can begin with %q", []rune(text)[0])
}

// shortened keeps errors readable.
func shortened(s string) string { return fault.Clip(s, 160) }
