package acceptance

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"net"
	"slices"
	"strings"
	"unicode/utf16"
)

// addrs are the ports of a broker on 127.0.0.1: one for each listener, and the one
// of the process beside it.
type addrs struct {
	ports map[Listener]int
	aux   int
}

// Ports are chosen below the range from which Linux, macOS and Windows take the ports of
// outgoing connections. A port out of that range, which is what listening on port 0
// gives, can be lost to any client while a broker is down; and a client that redials a
// dead broker on such a port will sooner or later be given that very port for its own end,
// and be connected with itself.
const firstPort, lastPort = 20000, 32767

// freePorts returns ports on which no process listens now. If one takes such a port in the
// meantime, the start is repeated.
func freePorts(listeners []Listener) (addrs, error) {
	var found []int
	var refusal error
	for range 100 {
		port := firstPort + mathrand.IntN(lastPort-firstPort+1)
		if slices.Contains(found, port) {
			continue
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			refusal = err
			continue
		}
		l.Close()
		if found = append(found, port); len(found) == len(listeners)+1 {
			a := addrs{aux: found[0], ports: make(map[Listener]int)}
			for i, l := range listeners {
				a.ports[l] = found[i+1]
			}
			return a, nil
		}
	}
	return addrs{}, fmt.Errorf("acceptance: no free port on 127.0.0.1: %w", errors.Join(refusal))
}

// newClusterID returns a random UUID as Kafka writes it. Kafka never makes one
// with a dash in front, which its own command line would take for a flag.
func newClusterID() string {
	for {
		var id [16]byte
		rand.Read(id[:])
		if text := base64.RawURLEncoding.EncodeToString(id[:]); text[0] != '-' {
			return text
		}
	}
}

// formatProperties writes a Java properties file, in the order of its keys. A
// file of that kind is Latin-1 with escapes; keys here are plain words.
func formatProperties(properties map[string]string) string {
	var text strings.Builder
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		text.WriteString(key + "=")
		for i, unit := range utf16.Encode([]rune(properties[key])) {
			switch {
			case unit == '\\' || unit == ' ' && i == 0:
				text.WriteByte('\\')
				text.WriteByte(byte(unit))
			case unit < ' ' || unit > '~':
				fmt.Fprintf(&text, `\u%04x`, unit)
			default:
				text.WriteByte(byte(unit))
			}
		}
		text.WriteByte('\n')
	}
	return text.String()
}
