package properties

import (
	"regexp"
	"strconv"
	"strings"

	"brokerconn/application/broker"
	"brokerconn/domain/release"
)

// aRelease is how Kafka's releases are written: "2.8", "2.8.1", "0.10.2.2"; what
// follows the third number is no part of a release's protocol.
var aRelease = regexp.MustCompile(`^(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4})(?:\.\d{1,4})?)?$`)

// readRelease reads a release, also as Python's tuple "(0, 10)". "auto" asks the
// broker, as it did in early kafka-python.
func readRelease(r *reader, p *Property) {
	text := value(p)
	if text == "auto" {
		return
	}
	if strings.HasPrefix(text, "(") && strings.HasSuffix(text, ")") {
		text = strings.Join(list(text[1:len(text)-1]), ".")
	}
	n := aRelease.FindStringSubmatch(text)
	if n == nil {
		r.refuse(p, "%s; a release of Kafka, such as 2.8.1 or 0.10.2", quoted(p))
		return
	}
	digits := func(s string) int {
		n, _ := strconv.Atoi(s) // four digits at most; none are 0
		return n
	}
	configured := broker.Release{Major: digits(n[1]), Minor: digits(n[2]), Patch: digits(n[3])}
	if _, _, known := release.TableOf(configured); !known {
		r.refuse(p, "%s; 0.8.0 is the first release that is known", quoted(p))
		return
	}
	r.s.Connection.APIVersion = configured
}
