package acceptance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A broker is made in two steps, each a JVM: prepare turns an empty directory
// into a broker's, launch runs the broker in it, the first time and again. Both
// write to one log, which also shows when the broker serves. The process
// beside it runs before both.

// The logs in a broker's directory.
const brokerLog, besideLog = "broker.log", "zookeeper.log"

// create makes the directory of a new broker, and starts it.
func (b *Broker) create(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.config.StartTimeout)
	defer cancel()
	dir, err := os.MkdirTemp("", "brokerconn-kafka-")
	if err != nil {
		return fmt.Errorf("acceptance: a directory for the broker: %w", err)
	}
	b.dir = dir
	if err := os.Mkdir(filepath.Join(dir, "tmp"), 0o777); err != nil {
		return fmt.Errorf("acceptance: a directory for the broker: %w", err)
	}
	security, err := b.security()
	if err != nil {
		return err
	}
	for name, texts := range b.release.files {
		properties := make(map[string]string)
		for key, value := range texts {
			properties[key] = b.fill(value)
		}
		if name == "server.properties" {
			maps.Copy(properties, security)
			maps.Copy(properties, b.config.Properties)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(formatProperties(properties)), 0o600); err != nil {
			return fmt.Errorf("acceptance: the broker's configuration: %w", err)
		}
	}
	if err := b.accompany(ctx); err != nil {
		return err
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	return b.launch(ctx)
}

// prepare makes the empty directory a broker's.
func (b *Broker) prepare(ctx context.Context) error {
	main := slices.Clone(b.release.prepare)
	if len(b.Mechanisms()) > 0 {
		main = append(main, b.release.scram...)
	}
	if len(main) == 0 {
		return nil
	}
	cmd, log, err := b.command(main, brokerLog)
	if err != nil {
		return err
	}
	defer log.Close()
	if err := run(ctx, cmd); err != nil {
		return fmt.Errorf("acceptance: %s for Kafka %s: %w\n%s", main[0], b.config.Version, err, b.Log())
	}
	return nil
}

// launch starts the process and returns when it answers. If it fails, the process is gone.
func (b *Broker) launch(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("acceptance: Kafka %s on %s: %w", b.config.Version, b.Addr(), err)
	}
	if err := b.accompany(ctx); err != nil {
		return err
	}
	cmd, log, err := b.command(b.release.run, brokerLog)
	if err != nil {
		return err
	}
	defer log.Close()
	// The log of earlier starts is in the same file.
	info, err := log.Stat()
	if err != nil {
		return err
	}
	b.paused = false
	if b.proc, err = startProcess(cmd); err != nil {
		return fmt.Errorf("acceptance: Kafka %s on %s: %w", b.config.Version, b.Addr(), err)
	}
	var said string
	taken := func() bool { return strings.Contains(said, "Address already in use") }
	err = poll(ctx, b.proc, func() bool {
		said = b.logFrom(brokerLog, info.Size())
		// The log alone is not enough, and the port alone may be another's. Old brokers
		// that lost a port hang in their own shutdown.
		return taken() || strings.Contains(said, b.release.ready) && accepts(b.Addr())
	})
	if err == nil && !taken() {
		return nil
	}
	b.proc.kill()
	said = b.logFrom(brokerLog, info.Size())
	switch {
	case taken():
		err = errPortTaken
	case errors.Is(err, errEnded):
		err = fmt.Errorf("%w: %s", err, b.proc.ended())
	}
	listeners, _ := b.listenerTexts()
	return fmt.Errorf("acceptance: Kafka %s on %s (and 127.0.0.1:%d) did not start: %w\n%s",
		b.config.Version, listeners, b.addrs.aux, err, tail(said))
}

// command is a JVM with a main class and its arguments. What it writes is
// appended to a log, which the caller closes: the child has it by then.
func (b *Broker) command(main []string, name string) (*exec.Cmd, *os.File, error) {
	var args []string
	for _, flag := range slices.Concat(b.release.flags, b.config.Flags) {
		args = append(args, b.fill(flag))
	}
	args = append(args, b.loginFlags()...)
	args = append(args, "-cp", b.classpath)
	for _, arg := range main {
		args = append(args, b.fill(arg))
	}
	log, err := os.OpenFile(filepath.Join(b.dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, nil, fmt.Errorf("acceptance: the broker's log: %w", err)
	}
	cmd := exec.Command(b.java, args...)
	cmd.Dir = b.dir
	cmd.Stdout, cmd.Stderr = log, log
	return cmd, log, nil
}

// fill replaces the places, such as {dir}, in a text from the table of releases.
func (b *Broker) fill(text string) string {
	listeners, protocols := b.listenerTexts()
	places := []string{
		"{dir}", filepath.ToSlash(b.dir),
		"{port}", strconv.Itoa(b.addrs.ports[Plaintext]),
		"{aux}", strconv.Itoa(b.addrs.aux),
		"{cluster}", b.clusterID,
		"{listeners}", listeners,
		"{protocols}", protocols,
	}
	if kdc := b.config.KDC; kdc != nil {
		places = append(places,
			"{krb5}", filepath.ToSlash(kdc.ConfigFile()),
			"{keytab}", filepath.ToSlash(kdc.brokerKeytab()),
			"{service}", ServiceName+"/"+ServiceHost+"@"+Realm)
	}
	return strings.NewReplacer(places...).Replace(text)
}

// logFrom returns a log from an offset on, or why it cannot be read.
func (b *Broker) logFrom(name string, offset int64) string {
	f, err := os.Open(filepath.Join(b.dir, name))
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	text, err := io.ReadAll(io.NewSectionReader(f, offset, 1<<30))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// tailSize is how much of a log is put into an error.
const tailSize = 4096

// tail returns the last lines of a text.
func tail(text string) string {
	text = strings.TrimSpace(text)
	if len(text) <= tailSize {
		return text
	}
	text = text[len(text)-tailSize:]
	if _, whole, ok := strings.Cut(text, "\n"); ok {
		text = whole
	}
	return "...\n" + text
}

// accepts reports whether a process accepts connections at addr.
func accepts(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}
