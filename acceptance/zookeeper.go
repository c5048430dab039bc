package acceptance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"time"
)

// A broker in ZooKeeper mode has a ZooKeeper of its own, a second JVM from the same
// jars. It starts before the broker is prepared, outlives its kills, stops and
// restarts, and ends with Close.

// accompany starts the process beside the broker, unless it runs, and returns when it
// answers and an earlier session of the broker has expired.
func (b *Broker) accompany(ctx context.Context) error {
	if b.release.beside == nil {
		return nil
	}
	addr := fmt.Sprintf("127.0.0.1:%d", b.addrs.aux)
	if b.beside == nil || !b.beside.alive() {
		cmd, log, err := b.command(b.release.beside, besideLog)
		if err != nil {
			return err
		}
		defer log.Close()
		if b.beside, err = startProcess(cmd); err != nil {
			return fmt.Errorf("acceptance: ZooKeeper for Kafka %s: %w", b.config.Version, err)
		}
	}
	// The name of its directory distinguishes it from the ZooKeeper of another broker that
	// took the port.
	own := filepath.Base(b.dir)
	err := poll(ctx, b.beside, func() bool { return strings.Contains(askZooKeeper(addr, "conf"), own) })
	if err == nil {
		// A broker that was killed stays registered until its session ends, and one that
		// starts before that refuses to, or, up to 1.0, takes itself for the controller.
		err = poll(ctx, b.beside, func() bool {
			sessions := askZooKeeper(addr, "dump")
			return sessions != "" && !strings.Contains(sessions, "/brokers/ids/")
		})
	}
	if err == nil {
		return nil
	}
	b.beside.kill()
	said := b.logFrom(besideLog, 0)
	switch {
	case !errors.Is(err, errEnded):
	case strings.Contains(said, "Address already in use"):
		err = errPortTaken
	default:
		err = fmt.Errorf("%w: %s", err, b.beside.ended())
	}
	return fmt.Errorf("acceptance: ZooKeeper for Kafka %s on %s: %w\n%s", b.config.Version, addr, err, tail(said))
}

// askZooKeeper sends a four-letter command, and returns the answer, or "" on failure.
func askZooKeeper(addr, question string) string {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return ""
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := io.WriteString(conn, question); err != nil {
		return ""
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		return ""
	}
	return string(answer)
}
