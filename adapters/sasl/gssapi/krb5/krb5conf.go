package krb5

import (
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
)

// The configuration of Kerberos. gokrb5 reads it, and wants help with what real
// files have: include directives, several files, sections that stand twice, and
// blocks within blocks, of which it panics. Here the files are put together, by
// MIT's rules, into one text without any of these.

const defaultConfig = "/etc/krb5.conf"

// conf is what a krb5.conf comes to.
type conf struct {
	*config.Config
	asTypes, tgsTypes []int32 // encryption types to ask for, in order
	cache             string  // default_ccache_name; it may be empty
	lookupKDC         bool    // dns_lookup_kdc
}

// loadConf reads the text, or the file, or what the environment names.
func loadConf(text, file string) (*conf, error) {
	s := sections{}
	switch {
	case text != "" && file != "":
		return nil, errors.New("the text is given, and the file as well: keep one")
	case text != "":
		if err := s.read(text, 0); err != nil {
			return nil, err
		}
		return s.parse()
	}
	if file == "" {
		file = os.Getenv("KRB5_CONFIG")
	}
	if file == "" {
		file = defaultConfig
	}
	found := false
	var missing error
	for _, name := range filepath.SplitList(file) {
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
		return nil, fmt.Errorf("there is no krb5.conf, and nothing says where the KDC is: %w", missing)
	}
	return s.parse()
}

// sections are the lines of each.
type sections map[string][]string

var (
	header  = regexp.MustCompile(`^\s*\[\s*([A-Za-z0-9_-]+)\s*\]`)
	include = regexp.MustCompile(`^(include|includedir)\s+(\S.*?)\s*$`)
	// snippet: other files in the directory, of editors and packagers, are none.
	snippet = regexp.MustCompile(`^([A-Za-z0-9_-]+|[^.].*\.conf)$`)
)

const (
	maxIncludes    = 8
	maxConfigBytes = 1 << 20
)

func (s sections) include(path string, depth int) error {
	if depth > maxIncludes {
		return fmt.Errorf("files include each other, more than %d deep", maxIncludes)
	}
	text, err := readFile(path, maxConfigBytes)
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
		deepest := 0
		if section == "realms" {
			deepest = 1
		}
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

// parse gives gokrb5 the three sections that it reads. Of two lines that set the
// same, the first counts for MIT and the last for gokrb5.
func (s sections) parse() (*conf, error) {
	defaults := slices.Clone(s["libdefaults"])
	slices.Reverse(defaults)
	text := strings.Join(slices.Concat([]string{"[libdefaults]"}, defaults,
		[]string{"[realms]"}, s["realms"], []string{"[domain_realm]"}, s["domain_realm"]), "\n") + "\n"
	c := &conf{lookupKDC: true}
	var bad error
	if !Contain(func() (err error) {
		c.Config, err = config.NewFromString(text)
		var passed config.UnsupportedDirective
		if bad = err; errors.As(err, &passed) {
			bad, err = nil, nil
		}
		return err
	}) {
		if bad == nil {
			bad = errors.New("it is no krb5.conf that gokrb5 can read")
		}
		return nil, bad
	}
	if len(s["libdefaults"])+len(s["realms"])+len(s["domain_realm"]) == 0 {
		return nil, errors.New("there is none of [libdefaults], [realms] and [domain_realm] in it")
	}
	if _, given := s.value("dns_lookup_kdc"); given {
		c.lookupKDC = c.LibDefaults.DNSLookupKDC
	}
	c.cache, _ = s.value("default_ccache_name")
	return c, s.encryption(c)
}

// value is what [libdefaults] sets a name to.
func (s sections) value(name string) (value string, given bool) {
	for _, line := range s["libdefaults"] {
		left, right, ok := strings.Cut(line, "=")
		if ok && strings.EqualFold(strings.TrimSpace(left), name) {
			return strings.TrimSpace(right), true
		}
	}
	return "", false
}

// encryption settles what is asked for. What gokrb5 would take as default has RC4,
// which helps whoever answers for the KDC to guess the password, and lacks the types
// of RFC 8009.
func (s sections) encryption(c *conf) error {
	permitted := preferred
	if _, given := s.value("permitted_enctypes"); given {
		permitted = c.LibDefaults.PermittedEnctypeIDs
	}
	c.asTypes, c.tgsTypes = permitted, permitted
	if _, given := s.value("default_tkt_enctypes"); given {
		c.asTypes = c.LibDefaults.DefaultTktEnctypeIDs
	}
	if _, given := s.value("default_tgs_enctypes"); given {
		c.tgsTypes = c.LibDefaults.DefaultTGSEnctypeIDs
	}
	c.tgsTypes = slices.DeleteFunc(slices.Clone(c.tgsTypes), func(etype int32) bool { return contextTypes[etype] == 0 })
	if len(c.asTypes) == 0 || len(c.tgsTypes) == 0 {
		return errors.New("permitted_enctypes, default_tkt_enctypes or default_tgs_enctypes leave no type of AES by its full name, as aes256-cts-hmac-sha1-96")
	}
	return nil
}

// realmOf returns the realm of a host by [domain_realm]; "" if nothing is said.
func (c *conf) realmOf(host string) string {
	if net.ParseIP(host) != nil { // ".0.0.1" is no domain
		return c.DomainRealm[host]
	}
	return c.ResolveRealm(host)
}

// cacheFile is the ticket cache that the environment names, as MIT finds it.
func (c *conf) cacheFile() (string, error) {
	name := os.Getenv("KRB5CCNAME")
	if name == "" {
		name = c.cache
	}
	if name != "" {
		return cachePath(name)
	}
	if os.Getuid() < 0 {
		return "", errors.New("this system has no ticket cache by default: name its file")
	}
	return fmt.Sprintf("/tmp/krb5cc_%d", os.Getuid()), nil
}

// cachePath is the file that a name of a cache stands for.
func cachePath(name string) (string, error) {
	kind, path, ok := strings.Cut(name, ":")
	switch {
	case !ok, runtime.GOOS == "windows" && len(kind) == 1:
		path = name
	case kind != "FILE":
		return "", fmt.Errorf("a ticket cache of the type %s cannot be read here, a file can: KRB5CCNAME=FILE:/path, for kinit as well", kind)
	}
	path = strings.NewReplacer("%{uid}", fmt.Sprint(os.Getuid()), "%{euid}", fmt.Sprint(os.Geteuid()), "%{TEMP}", os.TempDir(), "%{null}", "").Replace(path)
	if strings.Contains(path, "%{") || path == "" {
		return "", fmt.Errorf("%q is no name of a file", path)
	}
	return path, nil
}
