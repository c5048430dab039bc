package versions

import (
	"context"
	"strings"

	"brokerconn/application/broker"
)

// answer is the result of this library.
type answer struct {
	text     string         // the verdict as a text
	exact    broker.Release // zero unless the verdict is one release
	lineage  string         // "": unknown
	evidence string
}

// ask returns the result of CheckVersion on a new Conn, so that the cost of the connection
// is counted. It closes the Conn.
func ask(ctx context.Context, cfg broker.Config) (a answer, err error) {
	conn, err := broker.NewConn(cfg)
	if err != nil {
		return answer{}, err
	}
	defer func() {
		conn.Close()
		<-conn.Done()
	}()
	v, err := conn.CheckVersion(ctx, broker.Check{})
	if err != nil {
		return answer{}, err
	}
	a = answer{text: v.String(), evidence: strings.Join(v.Evidence, "; ")}
	if v.Kind == broker.Exact {
		a.exact = v.Low
	}
	if v.Lineage != 0 {
		a.lineage = v.Lineage.String()
	}
	return a, nil
}
