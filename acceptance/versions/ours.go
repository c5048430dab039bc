package versions

import (
	"context"
	"fmt"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/application/broker"
)

// answer is what this library says.
type answer struct {
	text     string         // as it prints it
	exact    broker.Release // the one release that it names; zero: it names none, or several
	lineage  string         // "": not told
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
	guess, err := conn.CheckVersion(ctx)
	if err != nil {
		return answer{}, err
	}
	a = answer{text: guess.String()}
	if guess.Low == guess.High && !guess.AtLeast {
		a.exact = guess.Low
	}
	if guess.Key >= 0 {
		a.evidence = fmt.Sprintf("%s reaches v%d", kafkacodec.KeyName(guess.Key), guess.Version)
	}
	return a, nil
}
