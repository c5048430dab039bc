package versions

import (
	"context"
	"strings"

	"brokerconn/application/broker"
)

// answer is what this library says.
type answer struct {
	text     string         // as it prints it
	exact    broker.Release // the one release that it names; zero: it names none, or several
	lineage  string         // "": unknown
	evidence string
}

// ask is the one place that knows how this library is asked. The question makes the
// connection, so that all that it costs is its own; that is gone when ask returns.
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
