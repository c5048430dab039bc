package probe

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"brokerconn/adapters/kafkacodec"
	"brokerconn/application/broker"
	"brokerconn/application/properties"
	"brokerconn/ports"
)

// responseDocument is an answer as JSON. Error is set if it has error codes.
type responseDocument struct {
	Broker   string     `json:"broker"`
	API      string     `json:"api"`
	Key      int16      `json:"key"`
	Version  *int16     `json:"version,omitempty"` // omitted without a response
	Response any        `json:"response"`          // null: the broker sends none
	Error    *errorInfo `json:"error,omitempty"`
}

func (a *app) request() *cobra.Command {
	var version int
	var body string
	var c *cobra.Command
	c = a.command(&cobra.Command{
		Use: "request HOST:PORT NAME", Short: "Send one request and print the answer",
		Long: `request sends any request of Kafka's protocol, by its name in any case, and prints the
answer as JSON. The body is JSON too, with the field names of
github.com/twmb/franz-go/pkg/kmsg in any case; omitted fields have their defaults. Bytes
are base64; topic ids are written as Kafka's own tools write them, and read in that
form, in base64 or in hex. Enumerations are names or numbers.

Without --version the highest version is used that both sides have; for ApiVersions, the
one that the broker has answered. With it a request is sent also if the broker does not
list the API. Fields that the version does not have are not sent, and have their defaults
in the answer.

The exit code is 1 if the answer has an error code at any depth.`,
		Example: `  kafkaprobe request localhost:9092 Metadata
  kafkaprobe request localhost:9092 metadata --version 4 --body '{"Topics":[{"Topic":"orders"}]}'
  kafkaprobe request localhost:9092 CreateTopics --body @topics.json
  echo '{"CoordinatorKeys":["my-group"]}' | kafkaprobe request localhost:9092 FindCoordinator --body -`,
	}, a.withTimeout(func(ctx context.Context, args []string) error {
		req, found := kafkacodec.RequestByName(args[1])
		if !found {
			return usagef("there is no request %q%s", args[1], properties.DidYouMean(args[1], requestNames()))
		}
		message := ports.Message(req)
		forced := c.Flags().Changed("version")
		if forced {
			highest := int(req.MaxVersion())
			if version < 0 || version > highest {
				return usagef("--version %d: must be 0 to %d for %s", version, highest, kafkacodec.KeyName(req.Key()))
			}
			message = kafkacodec.At(req, int16(version))
		}
		if c.Flags().Changed("body") {
			text, err := a.body(ctx, body)
			if err != nil {
				return err
			}
			if err := readBody(text, req); err != nil {
				return usagef("--body: %v", err)
			}
		}
		return a.send(ctx, args[0], message, forced)
	}))
	c.Flags().IntVar(&version, "version", 0, "version of the request; if not given, the highest in common")
	c.Flags().StringVar(&body, "body", "",
		"body as `JSON`; @FILE reads a file, - standard input; if not given, all fields have their defaults")
	return c
}

func requestNames() []string {
	var names []string
	for _, key := range kafkacodec.Keys() {
		names = append(names, kafkacodec.KeyName(key))
	}
	return names
}

// body returns the body that --body gives.
func (a *app) body(ctx context.Context, flag string) ([]byte, error) {
	file, isFile := strings.CutPrefix(flag, "@")
	switch {
	case flag == "-":
		return a.standardInput(ctx)
	case isFile:
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, usagef("--body: %v", err)
		}
		return text, nil
	}
	return []byte(flag), nil
}

// standardInput reads all of standard input, or returns when ctx ends. A read from a
// terminal cannot be interrupted; its goroutine then remains.
func (a *app) standardInput(ctx context.Context) ([]byte, error) {
	a.progress.waitFor("reading the body from standard input")
	var text []byte
	done := make(chan error, 1)
	go func() {
		var err error
		text, err = io.ReadAll(a.stdin)
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			return nil, usagef("--body: %v", err)
		}
		return text, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("reading the body from standard input: %w", context.Cause(ctx))
	}
}

// send sends a request and prints the answer. forced: also if the broker does not list the API.
func (a *app) send(ctx context.Context, address string, message ports.Message, forced bool) error {
	cfg, err := a.config(address)
	if err != nil {
		return err
	}
	conn, err := a.dialWith(ctx, cfg)
	if err != nil {
		return err
	}
	defer conn.Close()
	versions, err := conn.APIVersions(ctx)
	if err != nil {
		return err
	}
	exchange := ask
	if _, _, listed := versions.Range(message.Key()); forced && !listed {
		a.warn("the broker does not list " + kafkacodec.KeyName(message.Key()) + "; it is sent because of --version")
		exchange = force
	}
	resp, err := exchange(ctx, conn, message)
	if err != nil {
		return a.wantsLogin(ctx, cfg, err)
	}
	doc := responseDocument{Broker: address, API: kafkacodec.KeyName(message.Key()), Key: message.Key()}
	var outcome error
	if answer, ok := resp.(kafkacodec.Response); ok {
		version := answer.GetVersion()
		doc.Version, doc.Response = &version, responseJSON(answer)
		outcome = answerErrors(answer, versions)
		doc.Error = describe(outcome)
	}
	text, err := json.MarshalIndent(doc.Response, "", "  ")
	if err != nil {
		return err
	}
	return cmp.Or(a.emit(doc, escaped(string(text)+"\n")), outcome)
}

// ask sends a request. The answer is nil if the request expects none.
func ask(ctx context.Context, conn *broker.Conn, message ports.Message) (ports.Message, error) {
	f, err := conn.SendWait(ctx, message)
	if err != nil {
		return nil, err
	}
	return f.Wait(ctx)
}

// force sends a request that is pinned to one version, whatever the broker lists.
func force(ctx context.Context, conn *broker.Conn, pinned ports.Message) (ports.Message, error) {
	var codec kafkacodec.Codec
	traits, err := codec.Describe(pinned)
	if err != nil {
		return nil, err
	}
	version := traits.MaxVersion
	body, err := codec.AppendBody(nil, pinned, version)
	if err != nil {
		return nil, err
	}
	resp, err := ask(ctx, conn, &ports.RawRequest{APIKey: pinned.Key(), APIVersion: version, Body: body,
		Flexible: traits.FlexibleFrom >= 0 && version >= traits.FlexibleFrom, NoResponse: traits.NoResponse})
	if raw, ok := resp.(*ports.RawResponse); ok {
		return codec.Decode(pinned, version, raw.Body)
	}
	return nil, err
}
