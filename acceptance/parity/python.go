package parity

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// python is kafka-python in a process of its own, where testdata/driver.py drives
// it. One process plays many scenarios.
type python struct {
	version string
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
	errors  strings.Builder
	w       waiting
}

var _ client = (*python)(nil)

// reply is a line from the driver.
type reply struct {
	progress
	Version string   `json:"version"` // its first word
	Lines   []string `json:"lines"`
	State   string   `json:"state"`
	Wait    *int64   `json:"wait"` // in µs; -1: for news only
	Stuck   string   `json:"stuck"`
}

// startPython starts the driver with the given interpreter, which finds the
// kafka-python of that version. It ends with ctx.
func startPython(ctx context.Context, interpreter, version string) (*python, error) {
	driver, err := testdata.ReadFile("testdata/driver.py")
	if err != nil {
		return nil, err
	}
	p := &python{version: version}
	p.cmd = exec.CommandContext(ctx, interpreter, "-I", "-W", "ignore", "-c", string(driver))
	p.cmd.Stderr = &p.errors
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	hello, err := p.hear()
	if err == nil && hello.Version != version {
		err = fmt.Errorf("got kafka-python %s, want %s", hello.Version, version)
	}
	if err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// stop closes the input of the process, which then ends.
func (p *python) stop() error {
	p.in.Close()
	return p.cmd.Wait()
}

func (p *python) hear() (*reply, error) {
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		p.in.Close()
		return nil, fmt.Errorf("kafka-python %s: the driver ended: %w %s", p.version, err,
			strings.TrimSpace(p.errors.String()))
	}
	t := new(reply)
	if err := json.Unmarshal(line, t); err != nil {
		return nil, fmt.Errorf("kafka-python %s said %q: %w", p.version, line, err)
	}
	if t.Stuck != "" {
		return nil, fmt.Errorf("kafka-python %s: %s", p.version, t.Stuck)
	}
	return t, nil
}

func (p *python) send(message any) error {
	line, err := json.Marshal(message)
	if err == nil {
		_, err = p.in.Write(append(line, '\n'))
	}
	return err
}

// ask sends a message to the driver, lets the broker act while the driver waits, and returns
// the outcome.
func (p *python) ask(message any) (outcome, error) {
	for {
		if err := p.send(message); err != nil {
			return outcome{}, err
		}
		t, err := p.hear()
		if err != nil {
			return outcome{}, err
		}
		if t.Wait == nil {
			return outcome{progress: t.progress, lines: t.Lines, state: t.State}, nil
		}
		acted, a, err := p.w(t.progress)
		if err != nil {
			return outcome{}, err
		}
		advance := int64(0)
		if !acted {
			if advance = *t.Wait; advance < 0 {
				return outcome{}, fmt.Errorf("kafka-python %s would wait without limit", p.version)
			}
		}
		message = struct {
			Acted   bool    `json:"acted"`
			Advance int64   `json:"advance"`
			Arrived arrival `json:"arrived"`
		}{acted, advance, a}
	}
}

func (p *python) begin(s *settings, w waiting) error {
	p.w = w
	config := map[string]any{
		"client_id": s.keys["client_id"], "client_software_name": softwareName,
		"client_software_version": softwareVersion,
	}
	for key := range s.keys {
		if key != "client_id" {
			config[key] = s.number(key)
		}
	}
	config["api_version"] = s.api
	addresses := map[string]address{}
	for _, a := range s.addresses {
		addresses[a.Name] = a
	}
	_, err := p.ask(map[string]any{
		"op": "new", "config": config, "jitter": s.jitter, "addresses": addresses, "lookup": s.lookup,
		"reactions": s.reactions,
	})
	return err
}

func (p *python) end() {
	_, _ = p.ask(map[string]any{"op": "end"}) // the next begin would fail too
}

func (p *python) do(op *operation, a arrival) (outcome, error) {
	return p.ask(struct {
		*operation
		Arrived arrival `json:"arrived"`
	}{op, a})
}
