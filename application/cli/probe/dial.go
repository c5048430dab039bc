package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"brokerconn/application/broker"
	"brokerconn/application/properties"
)

// config is the one place where the command line becomes a connection's
// configuration.
func (a *app) config(address string) (broker.Config, error) {
	host, port, err := broker.ParseAddress(address)
	if err != nil {
		return broker.Config{}, usagef("HOST:PORT: %v", err)
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
	if cfg.SoftwareName == "" {
		cfg.SoftwareName, cfg.SoftwareVersion = name, cmp.Or(cfg.SoftwareVersion, broker.Version)
	}
	if a.timed || cfg.RequestTimeout == 0 {
		// The command's own limit comes first, and tells more.
		cfg.RequestTimeout = a.timeout + time.Minute
	}
	cfg.SetupTimeout = a.setupLimit(cfg.SetupTimeout)
	if a.timed || cfg.APIVersionTimeout == 0 {
		cfg.APIVersionTimeout = cfg.SetupTimeout
	}
	cfg.Hooks = &broker.Hooks{
		StateChanged: func(_, to broker.State, endpoint broker.Endpoint, _ error) {
			a.progress.follow(to, endpoint)
		},
		Warning: a.warn,
	}
	return cfg, nil
}

// setupLimit is how long a connection may take until it is ready. The other half of
// --timeout is left to find out what a silent port is.
func (a *app) setupLimit(configured time.Duration) time.Duration {
	if half := a.timeout / 2; a.timed || configured == 0 || configured > half {
		return half
	}
	return configured
}

// warn tells of a setting that may not mean what was meant.
func (a *app) warn(text string) {
	a.progress.clear()
	fmt.Fprintf(a.stderr, "%s: warning: %s\n", name, text)
}

// dial connects to a broker, or finds out why not.
func (a *app) dial(ctx context.Context, address string) (*broker.Conn, error) {
	cfg, err := a.config(address)
	if err != nil {
		return nil, err
	}
	return a.dialWith(ctx, address, cfg)
}

func (a *app) dialWith(ctx context.Context, address string, cfg broker.Config) (*broker.Conn, error) {
	conn, err := broker.Dial(ctx, cfg)
	if err != nil {
		return nil, a.identify(ctx, refused(err))
	}
	return conn, nil
}

// connected is a command that dials its first argument, within the time limit.
func (a *app) connected(do func(ctx context.Context, conn *broker.Conn, args []string) error) func(context.Context, []string) error {
	return func(ctx context.Context, args []string) error {
		ctx, cancel := a.limited(ctx)
		defer cancel()
		conn, err := a.dial(ctx, args[0])
		if err != nil {
			return err
		}
		defer conn.Close()
		return do(ctx, conn, args)
	}
}

// refused says in words of the command line which setting cannot be used.
func refused(err error) error {
	var config *broker.ConfigError
	switch {
	case !errors.As(err, &config):
		return err
	case config.Setting == "Host":
		return usagef("HOST:PORT: there is no host name or literal address in it")
	case config.Setting == "ClientID":
		return usagef("--client-id: %s", config.Problem)
	}
	return usagef("%v", config)
}
