package broker

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"brokerconn/domain/release"
	"brokerconn/ports"
)

// ConfigError is a setting that is not valid.
type ConfigError struct {
	Setting string // the field's name
	Problem string // what is not valid, and the limit
}

func (e *ConfigError) Error() string { return "config: " + e.Setting + ": " + e.Problem }

// softwareName is the broker's rule for client software names and versions; it
// answers INVALID_REQUEST to others.
var softwareName = regexp.MustCompile(`^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?$`)

// Check returns an error that joins a *ConfigError for each setting that is not valid.
// Dial, NewConn and NewPolled begin with it, after the default of IdleTimeout.
func (c Config) Check() error {
	var problems []error
	reject := func(setting, problem string, args ...any) {
		problems = append(problems, &ConfigError{setting, fmt.Sprintf(problem, args...)})
	}
	rows.Check(&c, func(field, problem string) { reject(field, "%s", problem) })

	if c.Host != "" && !isHost(c.Host) {
		reject("Host", "%q is not a host name or a literal address; the port goes into Port (see ParseAddress)", c.Host)
	}
	for _, s := range []struct{ setting, value string }{{"ClientID", c.ClientID}, {"ClusterID", c.ClusterID}} {
		if strings.ContainsFunc(s.value, unicode.IsControl) {
			reject(s.setting, "%q has control characters", s.value)
		}
	}
	for _, s := range []struct{ setting, value string }{
		{"SoftwareName", c.SoftwareName}, {"SoftwareVersion", c.SoftwareVersion},
	} {
		if s.value != "" && !softwareName.MatchString(s.value) {
			reject(s.setting, "%q; letters, digits, '.' and '-' only, a letter or digit at both ends", s.value)
		}
	}
	if c.NodeID != nil && *c.NodeID < 0 {
		reject("NodeID", "%d; 0 or more, or nil for any", *c.NodeID)
	}
	if base, longest := c.ReconnectBackoff, c.ReconnectBackoffMax; longest > 0 && base > longest {
		reject("ReconnectBackoffMax", "%v is less than ReconnectBackoff, %v", longest, base)
	}
	if c.PingInterval > 0 && c.IdleTimeout > 0 && c.PingInterval >= c.IdleTimeout {
		reject("PingInterval", "%v is not less than IdleTimeout, %v", c.PingInterval, c.IdleTimeout)
	}
	c.checkAPIVersion(reject)
	c.checkAuthenticators(reject)
	return errors.Join(problems...)
}

func (c *Config) checkAuthenticators(reject func(setting, problem string, args ...any)) {
	seen := map[string]bool{}
	for _, a := range c.Authenticators {
		if a == nil {
			reject("Authenticators", "one of them is nil")
			return
		}
		if name := a.Mechanism(); seen[name] {
			reject("Authenticators", "%s twice: the second one is never used", name)
		} else {
			seen[name] = true
		}
	}
}

func (c *Config) checkAPIVersion(reject func(setting, problem string, args ...any)) {
	r := c.APIVersion
	if r == (Release{}) {
		return
	}
	if c.ClusterID != "" || c.NodeID != nil {
		reject("APIVersion", "%v, and ClusterID or NodeID: a broker checks these only if it is asked for its API "+
			"versions; leave one out", r)
	}
	v, _, ok := release.TableOf(r)
	if !ok || r.Major < 0 || r.Minor < 0 || r.Patch < 0 {
		reject("APIVersion", "%v is not a release of Kafka; 0.8.0 is the first known one, and the zero Release "+
			"asks the broker", r)
		return
	}
	if _, _, can := v.Range(ports.KeyAPIVersions); c.PingInterval > 0 && !can {
		reject("PingInterval", "a broker of APIVersion %v cannot be asked for its API versions; 0, or a release "+
			"from 0.10.0 on", r)
	}
}

// warn reports settings that are valid and may not be what was intended.
func (c *Config) warn() {
	if w, ok := c.Transport.(ports.Warner); ok {
		for _, text := range w.Warnings() {
			c.Hooks.warn(text)
		}
	}
	r := c.APIVersion
	if r == (Release{}) {
		return
	}
	if _, known, _ := release.TableOf(r); known.String() != r.String() {
		c.Hooks.warn(fmt.Sprintf("APIVersion: release %v is not known; the API versions of %v are used", r, known))
	}
}
