package acceptance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	// stopTimeout is how long a broker may take to shut down.
	stopTimeout = 30 * time.Second
	// startAttempts is how often a start is repeated if another process takes one of its ports
	// before it binds them.
	startAttempts = 3
)

// Broker is one broker process with its directory, or between Kill and Restart the
// directory alone. Its methods are safe for concurrent use; those that change it run one
// at a time.
type Broker struct {
	release   *release
	java      string
	classpath string
	config    Config
	dir       string
	listeners []Listener
	addrs     addrs
	clusterID string

	mu     sync.Mutex
	proc   *process // the last one started, running or not; nil before
	beside *process // the same for the process beside the broker; nil in KRaft mode
	paused bool
	closed bool
}

// errPortTaken is the failure of a broker that found one of its ports in use.
var errPortTaken = errors.New("the port is in use by another process")

// Start fetches the jars, if they are not in the cache, and returns when the broker
// answers. If it fails, or ctx ends first, it leaves no process and no directory. The end
// of ctx after that does not affect the broker. Close it.
func Start(ctx context.Context, config Config) (*Broker, error) {
	return start(ctx, config, freePorts)
}

func start(ctx context.Context, config Config, pick func([]Listener) (addrs, error)) (*Broker, error) {
	if config.Version == "" {
		config.Version = Newest
	}
	if config.StartTimeout == 0 {
		config.StartTimeout = defaultStartTimeout
	}
	rel, err := releaseOf(config.Version, config.Mode)
	if err != nil {
		return nil, err
	}
	listeners := append([]Listener{Plaintext}, config.Listeners...)
	if err := rel.check(listeners); err != nil {
		return nil, err
	}
	java, err := FindJava()
	if err != nil {
		return nil, fmt.Errorf("acceptance: no Java for Kafka %s: %w", config.Version, err)
	}
	classpath, err := Fetch(ctx, config.Version)
	if err != nil {
		return nil, err
	}
	if config.Classpath != "" {
		classpath += string(os.PathListSeparator) + config.Classpath
	}
	for attempt := 1; ; attempt++ {
		b := &Broker{release: rel, java: java, classpath: classpath, config: config, listeners: listeners,
			clusterID: newClusterID()}
		if b.addrs, err = pick(listeners); err != nil {
			return nil, err
		}
		err = b.create(ctx)
		if err == nil {
			return b, nil
		}
		err = errors.Join(err, b.Close())
		if !errors.Is(err, errPortTaken) || attempt == startAttempts {
			return nil, err
		}
	}
}

// Addr returns the address of its PLAINTEXT listener, "127.0.0.1:port". A Restart does not
// change it.
func (b *Broker) Addr() string { return b.AddrOf(Plaintext) }

// AddrOf returns the same for any of the broker's listeners. The certificates of
// the secure ones are for localhost too.
func (b *Broker) AddrOf(l Listener) string {
	port, ok := b.addrs.ports[l]
	if !ok {
		panic(fmt.Sprintf("acceptance: the broker has no listener %s", l))
	}
	return fmt.Sprintf("127.0.0.1:%d", port)
}

// ControllerAddr returns the address at which the broker is a controller, in KRaft mode.
func (b *Broker) ControllerAddr() string {
	if b.release.mode != KRaft {
		panic("acceptance: a broker in ZooKeeper mode has no port of a controller")
	}
	return fmt.Sprintf("127.0.0.1:%d", b.addrs.aux)
}

// Version returns the broker's release.
func (b *Broker) Version() string { return b.config.Version }

// Dir returns the broker's directory, absolute; it holds server.properties, the
// log and the data.
func (b *Broker) Dir() string { return b.dir }

// ClusterID returns the id with which the cluster of this one broker was formatted. It is
// empty in ZooKeeper mode, where the broker chooses an id.
func (b *Broker) ClusterID() string {
	if b.release.mode == ZooKeeper {
		return ""
	}
	return b.clusterID
}

// Log returns the end of the log, which continues through all restarts.
func (b *Broker) Log() string {
	return tail(b.logFrom(brokerLog, 0))
}

// PID returns the broker's process id, or 0 if it is not running.
func (b *Broker) PID() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.running() {
		return 0
	}
	return b.proc.pid()
}

// Pause stops the process (SIGSTOP): its connections stay open, the kernel still accepts
// new ones, and no request is answered. It returns when the last thread has stopped. On
// Windows it returns an error.
func (b *Broker) Pause() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.running() {
		return b.notRunning("pause")
	}
	b.paused = true
	return b.proc.pause()
}

// Resume ends a Pause (SIGCONT). Requests sent meanwhile are answered. It does nothing to
// a broker that is not paused.
func (b *Broker) Resume() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.running() {
		return b.notRunning("resume")
	}
	return b.resume()
}

// Kill ends the broker at once (SIGKILL) and returns when it is gone. Its connections are
// reset or closed by the kernel. It does nothing to a broker that is not running.
func (b *Broker) Kill() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running() {
		b.proc.kill()
	}
	return nil
}

// Stop shuts the broker down (SIGTERM; on Windows it is killed), after a Resume if it is
// paused. If it is not gone after 30 seconds or when ctx ends, Stop kills it and returns
// an error. It does nothing to a broker that is not running.
func (b *Broker) Stop(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stop(ctx)
}

// Restart starts the broker again on the same ports with the same data, after a
// Stop if it is running. If that fails it is not running, and its directory is
// still there.
func (b *Broker) Restart(ctx context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return b.notRunning("restart")
	}
	if err := b.stop(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, b.config.StartTimeout)
	defer cancel()
	return b.launch(ctx)
}

// Close kills the broker, if it runs, and the process beside it, and removes its directory.
// It is final: further calls do nothing.
func (b *Broker) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.running() {
		b.proc.kill()
	}
	if b.beside != nil && b.beside.alive() {
		b.beside.kill()
	}
	if b.dir == "" {
		return nil
	}
	return os.RemoveAll(b.dir)
}

func (b *Broker) running() bool { return b.proc != nil && b.proc.alive() }

func (b *Broker) notRunning(what string) error {
	why := "is not running"
	if b.closed {
		why = "was closed"
	} else if b.proc != nil {
		why += ": " + b.proc.ended()
	}
	return fmt.Errorf("acceptance: %s: the broker at %s %s", what, b.Addr(), why)
}

func (b *Broker) resume() error {
	if !b.paused {
		return nil
	}
	b.paused = false
	return b.proc.carryOn()
}

func (b *Broker) stop(ctx context.Context) error {
	if !b.running() {
		return nil
	}
	if err := b.resume(); err != nil {
		return err
	}
	if err := b.proc.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		b.proc.kill()
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	select {
	case <-b.proc.done:
		return nil
	case <-ctx.Done():
		b.proc.kill()
		return fmt.Errorf("acceptance: the broker at %s did not shut down and was killed: %w", b.Addr(), ctx.Err())
	}
}
