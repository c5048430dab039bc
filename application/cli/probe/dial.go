package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"brokerconn/application/broker"
	"brokerconn/application/properties"
)

// config returns the configuration of a connection by the command line.
func (a *app) config(address string) (broker.Config, error) {
	host, port, err := broker.ParseAddress(address)
	if err != nil {
		return broker.Config{}, usagef("HOST:PORT: %v", err)
	}
	if p, ok := properties.ProtocolOf(address); ok && p != a.settings.Security {
		return broker.Config{}, usagef("HOST:PORT: %q contradicts the security protocol %v", address,
			a.settings.Security)
	}
	settings := *a.settings
	settings.Servers = []properties.Server{{Host: host, Port: port}}
	cfg, err := settings.Config()
	if err != nil {
		return broker.Config{}, badProperties(err)
	}
	for _, warning := range settings.Warnings() {
		a.warn(warning)
	}
	if a.named || cfg.ClientID == "" {
		cfg.ClientID = a.clientID
	}
	if a.clusterID != "" {
		cfg.ClusterID = a.clusterID
	}
	if a.nodeID >= 0 {
		cfg.NodeID = &a.nodeID
	}
	if cfg.SoftwareName == "" {
		cfg.SoftwareName, cfg.SoftwareVersion = name, cmp.Or(cfg.SoftwareVersion, broker.Version)
	}
	if a.timed || cfg.RequestTimeout == 0 {
		// --timeout passes first, and its error is more precise.
		cfg.RequestTimeout = a.timeout + time.Minute
	}
	cfg.SetupTimeout = a.setupLimit(cfg.SetupTimeout)
	if a.timed || cfg.APIVersionTimeout == 0 {
		cfg.APIVersionTimeout = cfg.SetupTimeout
	}
	cfg.Hooks = &broker.Hooks{StateChanged: a.progress.stateChanged, Warning: a.warn, Throttled: a.throttled,
		Versions: a.answered}
	return cfg, nil
}

// splitBrokers reads a list of brokers as clients read it: spaces and a comma too many are
// ignored.
func splitBrokers(text string) (brokers []string) {
	for each := range strings.SplitSeq(text, ",") {
		if each = strings.TrimSpace(each); each != "" {
			brokers = append(brokers, each)
		}
	}
	if brokers == nil {
		return []string{text}
	}
	return brokers
}

// choose returns the first of several brokers that answers, or else the last one, whose
// failure is the command's. There is no login. All together have half of --timeout.
func (a *app) choose(ctx context.Context, brokers []string) (string, error) {
	last := len(brokers) - 1
	began := time.Now()
	for _, address := range brokers {
		if _, _, err := broker.ParseAddress(address); err != nil {
			return "", usagef("HOST:PORT: %v", err)
		}
	}
	for i, address := range brokers[:last] {
		limit := (a.timeout/2 - a.spent) / time.Duration(last-i)
		attempt, cancel := context.WithTimeout(ctx, limit)
		err := a.answers(attempt, address, limit)
		cancel()
		a.spent = time.Since(began)
		var invalid *usageError
		switch {
		case err == nil:
			return address, nil
		case ctx.Err() != nil, errors.As(err, &invalid), wraps[*propertiesError](err):
			return "", err
		}
		a.warn(oneLine(err.Error()) + "; the next broker is tried")
	}
	return brokers[last], nil
}

// answers returns nil if a broker does, within a limit: its TLS port if that is inspected, and
// otherwise as a connection without a login.
func (a *app) answers(ctx context.Context, address string, limit time.Duration) error {
	if a.properties.onlyTLS {
		p, err := a.newTLSProbe(address)
		if err == nil {
			_, err = p.inspectFirst(ctx)
		}
		return err
	}
	cfg, err := a.config(address)
	if err != nil {
		return err
	}
	cfg.SetupTimeout = min(cfg.SetupTimeout, limit)
	cfg.Authenticators = nil
	cfg.Hooks = &broker.Hooks{StateChanged: a.progress.stateChanged, Versions: a.answered}
	conn, err := broker.Dial(ctx, cfg)
	if err != nil {
		return err
	}
	return conn.Close()
}

// setupLimit returns the limit until a connection is ready: at most half of --timeout,
// so that the other half remains to identify a silent port.
func (a *app) setupLimit(configured time.Duration) time.Duration {
	if half := a.timeout / 2; a.timed || configured == 0 || configured > half {
		return half
	}
	return configured
}

// warn writes a warning about a setting, once: a command may make several connections, whose
// hooks warn on goroutines of their own.
func (a *app) warn(text string) {
	a.warning.Lock()
	defer a.warning.Unlock()
	if slices.Contains(a.warned, text) {
		return
	}
	a.warned = append(a.warned, text)
	a.progress.clear()
	fmt.Fprintf(a.stderr, "%s: warning: %s\n", name, oneLine(text))
}

// throttled writes until when the broker throttles.
func (a *app) throttled(endpoint broker.Endpoint, until time.Time) {
	a.warn(fmt.Sprintf("throttled by %s until %s", endpoint.Address, until.Format("2006-01-02T15:04:05.000Z07:00")))
}

// dial connects to a broker. If that fails, the error says what the port is, where that
// is found out.
func (a *app) dial(ctx context.Context, address string) (*broker.Conn, error) {
	cfg, err := a.config(address)
	if err != nil {
		return nil, err
	}
	return a.dialWith(ctx, cfg)
}

func (a *app) dialWith(ctx context.Context, cfg broker.Config) (*broker.Conn, error) {
	conn, err := broker.Dial(ctx, cfg)
	if err != nil {
		return nil, a.identify(ctx, refused(err))
	}
	return conn, nil
}

// refused returns an invalid setting as an error about its flag or argument.
func refused(err error) error {
	switch config, ok := errors.AsType[*broker.ConfigError](err); {
	case !ok:
		return err
	case config.Setting == "Host":
		return usagef("HOST:PORT: has no host name or IP address")
	case config.Setting == "ClientID":
		return usagef("--client-id: %s", config.Problem)
	default:
		return usagef("%v", config)
	}
}
