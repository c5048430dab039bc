package broker

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"

	"brokerconn/domain/release"
	"brokerconn/ports"
)

// Which settings cannot be used: all of them are told, at once, each with what
// would be right.

// ConfigError is one setting that cannot be used.
type ConfigError struct {
	Setting string // the field's name
	Problem string // what is wrong, and what would be right
}

func (e *ConfigError) Error() string { return "config: " + e.Setting + ": " + e.Problem }

// softwareName is the broker's rule for client software names and versions; it
// answers INVALID_REQUEST to others.
var softwareName = regexp.MustCompile(`^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?$`)

// Check refuses all settings that cannot be used, at once: the error joins a
// *ConfigError for each. Dial, NewConn and NewPolled begin with it, after the default
// of IdleTimeout.
func (c Config) Check() error {
	var problems []error
	refuse := func(setting, problem string, args ...any) {
		problems = append(problems, &ConfigError{setting, fmt.Sprintf(problem, args...)})
	}

	if c.Host != "" && !isHost(c.Host) {
		refuse("Host", "%q is not a host name or a literal address; the port goes into Port (see ParseAddress)", c.Host)
	}
	if len(c.ClientID) > 249 {
		refuse("ClientID", "%d bytes; at most 249", len(c.ClientID))
	}
	if strings.ContainsFunc(c.ClientID, unicode.IsControl) {
		refuse("ClientID", "%q has control characters", c.ClientID)
	}
	for _, s := range []struct{ setting, value string }{
		{"SoftwareName", c.SoftwareName}, {"SoftwareVersion", c.SoftwareVersion},
	} {
		if s.value != "" && !softwareName.MatchString(s.value) {
			refuse(s.setting, "%q; letters, digits, '.' and '-' only, a letter or digit at both ends", s.value)
		}
	}
	if strings.ContainsFunc(c.ClusterID, unicode.IsControl) {
		refuse("ClusterID", "%q has control characters", c.ClusterID)
	}
	if c.NodeID != nil && *c.NodeID < 0 {
		refuse("NodeID", "%d; 0 or more, or nil for any", *c.NodeID)
	}
	for _, d := range []struct {
		setting string
		value   time.Duration
	}{
		{"RequestTimeout", c.RequestTimeout}, {"SetupTimeout", c.SetupTimeout},
		{"APIVersionTimeout", c.APIVersionTimeout}, {"PingInterval", c.PingInterval},
		{"ReconnectBackoff", c.ReconnectBackoff}, {"ReconnectBackoffMax", c.ReconnectBackoffMax},
	} {
		if d.value < 0 {
			refuse(d.setting, "%v; 0 means the default, and less than 0 nothing", d.value)
		}
	}
	if base, most := c.ReconnectBackoff, c.ReconnectBackoffMax; most > 0 && base > most {
		refuse("ReconnectBackoffMax", "%v is less than ReconnectBackoff, %v", most, base)
	}
	if c.PingInterval > 0 && c.IdleTimeout > 0 && c.PingInterval >= c.IdleTimeout {
		refuse("PingInterval", "%v is not less than IdleTimeout, %v", c.PingInterval, c.IdleTimeout)
	}
	c.checkAPIVersion(refuse)
	for _, n := range []struct {
		setting string
		value   int
	}{
		{"MaxInFlight", c.MaxInFlight}, {"MaxPendingBytes", c.MaxPendingBytes},
		{"MaxResponseBytes", int(c.MaxResponseBytes)},
	} {
		if n.value < 0 {
			refuse(n.setting, "%d; 0 means the default, and less than 0 nothing", n.value)
		}
	}
	c.checkAuthenticators(refuse)
	return errors.Join(problems...)
}

func (c *Config) checkAuthenticators(refuse func(setting, problem string, args ...any)) {
	seen := map[string]bool{}
	for _, a := range c.Authenticators {
		if a == nil {
			refuse("Authenticators", "one of them is nil")
			return
		}
		if name := a.Mechanism(); seen[name] {
			refuse("Authenticators", "%s twice: the second would never be used", name)
		} else {
			seen[name] = true
		}
	}
}

func (c *Config) checkAPIVersion(refuse func(setting, problem string, args ...any)) {
	r := c.APIVersion
	if r == (Release{}) {
		return
	}
	if c.ClusterID != "" || c.NodeID != nil {
		refuse("APIVersion", "%v, and ClusterID or NodeID: a broker tells who it is only when asked for its API versions; leave one out", r)
	}
	v, _, ok := release.TableOf(r)
	if !ok || r.Major < 0 || r.Minor < 0 || r.Patch < 0 {
		refuse("APIVersion", "%v is no release of Kafka; 0.8.0 is the first that is known, and the zero Release asks the broker", r)
		return
	}
	if _, _, can := v.Range(ports.KeyAPIVersions); c.PingInterval > 0 && !can {
		refuse("PingInterval", "a broker of APIVersion %v has nothing to be asked for this; 0, or a release from 0.10.0 on", r)
	}
}

// warn tells of settings that can be used, and may not mean what was meant.
func (c *Config) warn() {
	r := c.APIVersion
	if r == (Release{}) {
		return
	}
	if _, known, _ := release.TableOf(r); known.String() != r.String() {
		c.Hooks.warn(fmt.Sprintf("APIVersion: release %v is not known; the broker is taken for a %v", r, known))
	}
}
