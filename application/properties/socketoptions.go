package properties

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"brokerconn/adapters/tcp"
)

// socket_options is a Python list of tuples for setsockopt, of numbers or of the
// names in module socket:
//
//	[(6, 1, 1)]
//	[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1), (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)]

// socketNames are the names that every system has; systemSocketNames are those of this
// system.
var socketNames = map[string]int{
	"SOL_SOCKET": syscall.SOL_SOCKET, "SO_KEEPALIVE": syscall.SO_KEEPALIVE, "SO_REUSEADDR": syscall.SO_REUSEADDR,
	"SO_SNDBUF": syscall.SO_SNDBUF, "SO_RCVBUF": syscall.SO_RCVBUF, "IPPROTO_IP": syscall.IPPROTO_IP,
	"IPPROTO_TCP": syscall.IPPROTO_TCP, "IPPROTO_IPV6": syscall.IPPROTO_IPV6, "TCP_NODELAY": syscall.TCP_NODELAY,
	"True": 1, "False": 0,
}

func init() { maps.Copy(socketNames, systemSocketNames) }

const optionsExample = "[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]"

func socketOptions(p *Property) (options []tcp.SocketOption, err error) {
	tuples, ok := splitTuples(value(p))
	if !ok {
		return nil, fmt.Errorf("%s; a list of tuples of three, such as %s", quoted(p), optionsExample)
	}
	for _, tuple := range tuples {
		var n [3]int
		for i, word := range tuple {
			if n[i], ok = socketNumber(word); !ok {
				names := slices.Sorted(maps.Keys(socketNames))
				return nil, fmt.Errorf("%q in it is neither a whole number nor a known name: write the number%s",
					word, DidYouMean(word, names))
			}
		}
		options = append(options, tcp.SocketOption{Level: n[0], Name: n[1], Value: n[2]})
	}
	return options, nil
}

// splitTuples splits a list of tuples of three at its brackets and commas.
func splitTuples(text string) (tuples [][3]string, ok bool) {
	inner, closed := strings.CutPrefix(text, "[")
	if closed {
		inner, closed = strings.CutSuffix(inner, "]")
	} else if strings.HasPrefix(text, "((") {
		inner, closed = strings.CutSuffix(text[1:], ")")
	}
	if !closed {
		return nil, false
	}
	for inner = strings.TrimSpace(inner); inner != ""; {
		tuple, rest, found := strings.Cut(inner, ")")
		words := strings.Split(strings.TrimPrefix(tuple, "("), ",")
		if len(words) == 4 && strings.TrimSpace(words[3]) == "" {
			words = words[:3] // a comma at the end
		}
		if !found || !strings.HasPrefix(tuple, "(") || len(words) != 3 {
			return nil, false
		}
		tuples = append(tuples, [3]string(words))
		rest = strings.TrimSpace(rest)
		inner, found = strings.CutPrefix(rest, ",")
		if inner = strings.TrimSpace(inner); rest != "" && !found {
			return nil, false
		}
	}
	return tuples, true
}

func socketNumber(word string) (n int, ok bool) {
	word = strings.TrimSpace(word)
	if n, ok = socketNames[word[strings.LastIndex(word, ".")+1:]]; ok {
		return n, true
	}
	v, err := strconv.ParseInt(word, 0, 32)
	return int(v), err == nil
}
