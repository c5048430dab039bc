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
	"strings"

	"github.com/jcmturner/gokrb5/v8/config"

	"brokerconn/adapters/internal/wholefile"
)

// krb5.conf. gokrb5 parses it, but does not understand include directives, several
// files and repeated sections, and panics on nested blocks. The functions here join
// the files by MIT's rules into one text without any of these.

const defaultConfig = "/etc/krb5.conf"

// conf holds the settings of a krb5.conf.
type conf struct {
	*config.Config
	asTypes, tgsTypes []int32 // encryption types to request, in order
	cache             string  // default_ccache_name; it may be empty
	lookupKDC         bool    // dns_lookup_kdc
}

// loadConf reads the text, or the file, or the files that KRB5_CONFIG names.
func loadConf(text, file string) (*conf, error) {
	s := sections{}
	switch {
	case text != "" && file != "":
		return nil, errors.New("both Config and ConfigFile are set: keep one")
	case text != "":
		if err := s.read(text, 0); err != nil {
			return nil, err
		}
		return s.parse()
	}
	found := false
	var missing error
	for _, name := range filepath.SplitList(cmp.Or(file, os.Getenv("KRB5_CONFIG"), defaultConfig)) {
		switch err := s.include(name, 0); {
		case errors.Is(err, os.ErrNotExist):
			missing = err
		case err != nil:
			return nil, err
		default:
			found = true
		}
	}
	if !found {
		return nil, fmt.Errorf("no krb5.conf found: %w", missing)
	}
	return s.parse()
}

// sections maps the name of a section to its lines.
type sections map[string][]string

var (
	header  = regexp.MustCompile(`^\s*\[\s*([A-Za-z0-9_-]+)\s*\]`)
	include = regexp.MustCompile(`^(include|includedir)\s+(\S.*?)\s*$`)
	// snippet excludes the files of editors and package managers in an includedir.
	snippet = regexp.MustCompile(`^([A-Za-z0-9_-]+|[^.].*\.conf)$`)
)

const (
	maxIncludes    = 8
	maxConfigBytes = 1 << 20
)

func (s sections) include(path string, depth int) error {
	if depth > maxIncludes {
		return fmt.Errorf("include directives are nested more than %d deep", maxIncludes)
	}
	text, _, err := wholefile.Read(path, maxConfigBytes)
	if err != nil {
		return err
	}
	return s.read(string(text), depth)
}

func (s sections) read(text string, depth int) error {
	section, braces := "", 0
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if trimmed := strings.TrimSpace(line); trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';' {
			continue
		}
		if m := include.FindStringSubmatch(line); m != nil {
			if err := s.follow(m[1], m[2], depth); err != nil {
				return err
			}
			continue
		}
		if m := header.FindStringSubmatch(line); m != nil {
			section, braces = strings.ToLower(m[1]), 0
			continue
		}
		deepest := map[string]int{"realms": 1}[section]
		within := braces > deepest || braces == deepest && strings.Contains(line, "{")
		braces += strings.Count(line, "{") - strings.Count(line, "}")
		if !within {
			s[section] = append(s[section], line)
		}
	}
	return nil
}

func (s sections) follow(directive, path string, depth int) error {
	if directive == "include" {
		return s.include(path, depth+1)
	}
	entries, err := os.ReadDir(path)
	for _, e := range entries {
		if !e.IsDir() && snippet.MatchString(e.Name()) {
			if err := s.include(filepath.Join(path, e.Name()), depth+1); err != nil {
				return err
			}
		}
	}
	return err
}

// parse has gokrb5 parse the three sections that it knows. Of two lines with the same
// name, MIT uses the first one and gokrb5 the last one, so [libdefaults] is reversed.
func (s sections) parse() (*conf, error) {
	defaults := slices.Clone(s["libdefaults"])
	slices.Reverse(defaults)
	text := strings.Join(slices.Concat([]string{"[libdefaults]"}, defaults,
		[]string{"[realms]"}, s["realms"], []string{"[domain_realm]"}, s["domain_realm"]), "\n") + "\n"
	c := &conf{lookupKDC: true}
	bad := errors.New("malformed krb5.conf") // if gokrb5 panics
	Contain(func() error {
		c.Config, bad = config.NewFromString(text)
		if _, passed := errors.AsType[config.UnsupportedDirective](bad); passed {
			bad = nil
		}
		return nil
	})
	if bad != nil {
		return nil, bad
	}
	if len(s["libdefaults"])+len(s["realms"])+len(s["domain_realm"]) == 0 {
		return nil, errors.New("krb5.conf has no [libdefaults], [realms] or [domain_realm] section")
	}
	if _, given := s.value("dns_lookup_kdc"); given {
		c.lookupKDC = c.LibDefaults.DNSLookupKDC
	}
	c.cache, _ = s.value("default_ccache_name")
	return c, s.encryption(c)
}

// value returns the value of a name in [libdefaults].
func (s sections) value(name string) (value string, given bool) {
	for _, line := range s["libdefaults"] {
		left, right, ok := strings.Cut(line, "=")
		if ok && strings.EqualFold(strings.TrimSpace(left), name) {
			return strings.TrimSpace(right), true
		}
	}
	return "", false
}

// encryption sets the encryption types to request. gokrb5's default includes RC4, which
// makes it cheaper for an impostor KDC to guess the password, and lacks the types of
// RFC 8009.
func (s sections) encryption(c *conf) error {
	given := func(name string, ids, otherwise []int32) []int32 {
		if _, ok := s.value(name); ok {
			return ids
		}
		return otherwise
	}
	permitted := given("permitted_enctypes", c.LibDefaults.PermittedEnctypeIDs, preferred)
	c.asTypes = given("default_tkt_enctypes", c.LibDefaults.DefaultTktEnctypeIDs, permitted)
	asked := given("default_tgs_enctypes", c.LibDefaults.DefaultTGSEnctypeIDs, permitted)
	c.tgsTypes = slices.DeleteFunc(slices.Clone(asked), func(etype int32) bool { return contextTypes[etype] == 0 })
	if len(c.asTypes) == 0 || len(c.tgsTypes) == 0 {
		return errors.New("no AES encryption type in permitted_enctypes, default_tkt_enctypes or " +
			"default_tgs_enctypes: write its full name, such as aes256-cts-hmac-sha1-96")
	}
	return nil
}

// realmOf returns the realm of a host by [domain_realm], or "".
func (c *conf) realmOf(host string) string {
	if net.ParseIP(host) != nil { // ".0.0.1" is not a domain
		return c.DomainRealm[host]
	}
	return c.ResolveRealm(host)
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
