package krb5

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jcmturner/gokrb5/v8/config"
)

// The settings of krb5.conf that a client over TCP needs. All others are skipped, with
// whatever values they have: files are written for other programs and other versions,
// and Red Hat's sets dns_canonicalize_hostname to "fallback", which is no boolean. No
// name of a host is looked up in DNS, so the settings about that have no effect.

const defaultConfig = "/etc/krb5.conf"

// conf holds the settings of a krb5.conf.
type conf struct {
	root              *node
	defaultRealm      string
	asTypes, tgsTypes []int32 // encryption types to request, in order
	cache             string  // default_ccache_name; it may be empty
	lookupKDC         bool    // dns_lookup_kdc
	clockSkew         time.Duration
}

// loadConf reads the text, or the file, or the files that KRB5_CONFIG names.
func loadConf(text, file string) (*conf, error) {
	root := new(node)
	switch {
	case text != "" && file != "":
		return nil, errors.New("both Config and ConfigFile are set: keep one")
	case text != "":
		if err := root.read(text, 0); err != nil {
			return nil, err
		}
		if len(root.inner) == 0 {
			return nil, errors.New("no section such as [libdefaults]: Config is the text of a krb5.conf, not its name")
		}
		return newConf(root)
	}
	found := false
	var missing error
	for _, name := range filepath.SplitList(cmp.Or(file, os.Getenv("KRB5_CONFIG"), defaultConfig)) {
		err := root.include(name, 0)
		_, own := err.(*os.PathError) // that of a file that is included is wrapped
		switch {
		case own && (errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission)):
			missing = err
		case err != nil:
			return nil, err
		default:
			found = true
			root.seal()
		}
	}
	if !found {
		return nil, fmt.Errorf("no krb5.conf found: %w", missing)
	}
	return newConf(root)
}

func newConf(root *node) (*conf, error) {
	defaults := root.child("libdefaults")
	c := &conf{root: root, lookupKDC: true, clockSkew: 5 * time.Minute}
	c.defaultRealm, _ = defaults.value("default_realm")
	c.cache, _ = defaults.value("default_ccache_name")
	for _, name := range []string{"dns_fallback", "dns_lookup_kdc"} { // the second one counts
		if text, given := defaults.value(name); given {
			c.lookupKDC = isTrue(text)
		}
	}
	text, _ := defaults.value("clockskew")
	if skew, ok := parseDuration(text); ok {
		c.clockSkew = skew
	}
	return c, c.setTypes(defaults)
}

// setTypes sets the encryption types to request. MIT's default includes RC4, which makes
// it cheaper for an impostor KDC to guess the password.
func (c *conf) setTypes(defaults *node) error {
	given := func(name string, otherwise []int32) []int32 {
		if text, ok := defaults.value(name); ok {
			return parseTypes(text)
		}
		return otherwise
	}
	permitted := given("permitted_enctypes", preferred)
	c.asTypes = given("default_tkt_enctypes", permitted)
	asked := given("default_tgs_enctypes", permitted)
	c.tgsTypes = slices.DeleteFunc(slices.Clone(asked), func(etype int32) bool { return contextTypes[etype] == 0 })
	if len(c.asTypes) == 0 || len(c.tgsTypes) == 0 {
		return errors.New("no AES encryption type in permitted_enctypes, default_tkt_enctypes or " +
			"default_tgs_enctypes: add aes, or a full name such as aes256-cts-hmac-sha1-96")
	}
	return nil
}

// libdefault returns a setting of [libdefaults] for a client of a realm; a block with the
// realm's name comes first.
func (c *conf) libdefault(realm, name string) string {
	defaults := c.root.child("libdefaults")
	text, given := defaults.child(realm).value(name)
	if !given {
		text, _ = defaults.value(name)
	}
	return text
}

// lifetime returns how long tickets of a realm's client are requested for.
func (c *conf) lifetime(realm string) (time.Duration, error) {
	life, err := c.duration(realm, "ticket_lifetime")
	return cmp.Or(life, 24*time.Hour), err
}

// duration returns a time of [libdefaults], or 0.
func (c *conf) duration(realm, name string) (time.Duration, error) {
	text := c.libdefault(realm, name)
	d, ok := parseDuration(text)
	if !ok && text != "" {
		return 0, fmt.Errorf("%s = %.100q in krb5.conf is not a time: write it as 10h or 1d 12h", name, text)
	}
	return d, nil
}

// options returns those of a request for a ticket-granting ticket that krb5.conf decides.
func (c *conf) options(realm string) (o *config.Config, err error) {
	o = config.New()
	if o.LibDefaults.TicketLifetime, err = c.lifetime(realm); err != nil {
		return nil, err
	}
	if o.LibDefaults.RenewLifetime, err = c.duration(realm, "renew_lifetime"); err != nil {
		return nil, err
	}
	o.LibDefaults.Forwardable = isTrue(c.libdefault(realm, "forwardable"))
	o.LibDefaults.Proxiable = isTrue(c.libdefault(realm, "proxiable"))
	if text := c.libdefault(realm, "noaddresses"); text != "" {
		o.LibDefaults.NoAddresses = isTrue(text)
	}
	return o, nil
}

// isTrue reads a boolean; any other text is false.
func isTrue(text string) bool {
	return slices.Contains([]string{"y", "yes", "true", "t", "1", "on"}, strings.ToLower(text))
}

var (
	durationInUnits = regexp.MustCompile(`^(?:(\d+)d)?\s*(?:(\d+)h)?\s*(?:(\d+)m)?\s*(?:(\d+)s?)?$`)
	durationOfClock = regexp.MustCompile(`^(?:(\d+)-)?(\d+):(\d+)(?::(\d+))?$`)
)

// parseDuration reads "86400", "1d 12h 30m 10s", "10:30", "10:30:00" or "1-10:30:00".
func parseDuration(text string) (d time.Duration, ok bool) {
	for _, form := range []*regexp.Regexp{durationOfClock, durationInUnits} {
		m := form.FindStringSubmatch(text)
		if m == nil || text == "" {
			continue
		}
		for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
			n, err := strconv.ParseInt(cmp.Or(m[i+1], "0"), 10, 32)
			if err != nil {
				return 0, false
			}
			d += time.Duration(n) * unit
		}
		return d, true
	}
	return 0, false
}

// kdcsOf returns the addresses of a realm's KDCs, as written.
func (c *conf) kdcsOf(realm string) []string {
	return c.root.child("realms").child(realm).values("kdc")
}

// realmOf returns the realm of a host by [domain_realm], or "": of the names of the host
// and of its domains, with a dot before them or without, the longest counts. That of an
// address is only looked up as a whole, since ".0.0.1" is not a domain.
func (c *conf) realmOf(host string) string {
	domains := c.root.child("domain_realm")
	for name := host; name != ""; {
		if realm, ok := domains.foldedValue(name); ok {
			return realm
		}
		if net.ParseIP(host) != nil {
			break
		}
		if after, dotted := strings.CutPrefix(name, "."); dotted {
			name = after
		} else {
			name = name[len(name)-len(strings.TrimLeftFunc(name, func(r rune) bool { return r != '.' })):]
		}
	}
	return ""
}

// cacheFile returns the file of a ticket cache, by default that which MIT uses.
func (c *conf) cacheFile(name string) (string, error) {
	name = cmp.Or(name, os.Getenv("KRB5CCNAME"), c.cache)
	if name != "" {
		return cachePath(name)
	}
	if os.Getuid() < 0 {
		return "", errors.New("this system has no default ticket cache: set TicketCache")
	}
	return fmt.Sprintf("/tmp/krb5cc_%d", os.Getuid()), nil
}

// cachePath returns the file of a ticket cache name.
func cachePath(name string) (string, error) {
	kind, path, ok := strings.Cut(name, ":")
	switch {
	case !ok, runtime.GOOS == "windows" && len(kind) == 1:
		path = name
	case kind != "FILE":
		return "", fmt.Errorf("ticket cache type %s is not supported: use KRB5CCNAME=FILE:/path, also for kinit", kind)
	}
	path = strings.NewReplacer("%{uid}", fmt.Sprint(os.Getuid()), "%{euid}", fmt.Sprint(os.Geteuid()),
		"%{TEMP}", os.TempDir(), "%{null}", "").Replace(path)
	if strings.Contains(path, "%{") || path == "" {
		return "", fmt.Errorf("%q is not a file name", path)
	}
	return path, nil
}
