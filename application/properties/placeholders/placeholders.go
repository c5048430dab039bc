// Package placeholders replaces ${provider:path:key} in the values of a configuration, as
// Kafka's Java client does with the providers that it brings (KIP-297, KIP-421, KIP-887):
// the values of another file of properties, the files of a directory, the variables of the
// environment.
package placeholders

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// pattern is that of Java's ConfigTransformer.
var pattern = regexp.MustCompile(`\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}`)

// In returns the names of the providers that the placeholders of a text have.
func In(text string) (names []string) {
	for _, found := range pattern.FindAllStringSubmatch(text, -1) {
		names = append(names, found[1])
	}
	return names
}

// IsStandard reports whether a name is one that configurations use for Kafka's own
// providers, so that something like ${file:...} is a placeholder and no password.
func IsStandard(name string) bool { return slices.Contains(standard, name) }

// Providers are the providers of a configuration, by name. The zero value has none. It may
// be used by many goroutines, as long as none changes it.
type Providers map[string]Provider

// Provider is where the values of a name come from.
type Provider struct {
	// Class is the Java class. Only Kafka's own FileConfigProvider, DirectoryConfigProvider
	// and EnvVarConfigProvider are understood.
	Class string
	// Params are its parameters: allowed.paths of the first two, allowlist.pattern of the
	// third.
	Params map[string]string
}

const kafkas = "org.apache.kafka.common.config.provider."

var standard = []string{"file", "dir", "directory", "directories", "env"}

// Parser reads the key and value pairs of a file of properties.
type Parser func(name string) (map[string]string, error)

// Resolve returns text with its placeholders replaced. The result is not searched again. An
// error names the provider, and for Kafka's own what was looked for, but no other part of
// text, which may be a secret.
//
// Java leaves a placeholder as it is if no provider, no file or no key of that name is
// there, and sends it as the password. Here that is an error.
func (p Providers) Resolve(text string, parse Parser) (string, error) {
	var problems []error
	resolved := pattern.ReplaceAllStringFunc(text, func(found string) string {
		parts := pattern.FindStringSubmatch(found)
		value, err := p.value(parts[1], parts[3], parts[4], parse)
		if err != nil {
			problems = append(problems, err)
		}
		return value
	})
	return resolved, errors.Join(problems...)
}

func (p Providers) value(name, path, key string, parse Parser) (string, error) {
	provider, declared := p[name]
	switch {
	case !declared && IsStandard(name):
		return "", fmt.Errorf("the placeholder ${%s:...} has no provider: give config.providers=%[1]s and "+
			"config.providers.%[1]s.class", name)
	case !declared:
		return "", errors.New("there is a placeholder, ${provider:...}, of a provider that config.providers does " +
			"not name")
	case provider.Class == "":
		return "", fmt.Errorf("the placeholder ${%s:...} has no provider: config.providers.%[1]s.class is not given",
			name)
	}
	var value string
	var err error
	switch strings.TrimPrefix(provider.Class, kafkas) {
	case "FileConfigProvider":
		value, err = provider.fromFile(path, key, parse)
	case "DirectoryConfigProvider":
		value, err = provider.fromDirectory(path, key)
	case "EnvVarConfigProvider":
		value, err = provider.fromEnvironment(path, key)
	default:
		err = fmt.Errorf("%s is a Java class and cannot run here; Kafka's FileConfigProvider, DirectoryConfigProvider "+
			"and EnvVarConfigProvider are understood", provider.Class)
	}
	if err != nil {
		return "", fmt.Errorf("the placeholder ${%s:...}: %w", name, err)
	}
	return value, nil
}

func (p Provider) fromFile(path, key string, parse Parser) (string, error) {
	if err := p.allows(path); err != nil {
		return "", err
	}
	values, err := parse(path)
	if err != nil {
		return "", err
	}
	value, found := values[key]
	if !found {
		return "", fmt.Errorf("%q has no key %q", path, key)
	}
	return value, nil
}

// fromDirectory reads the file named key in a directory: whole, as Java does, with the line
// end that it may have.
func (p Provider) fromDirectory(path, key string) (string, error) {
	name := filepath.Join(path, key)
	if err := p.allows(path); err != nil {
		return "", err
	}
	if key == "" || filepath.Base(key) != key {
		return "", fmt.Errorf("%q is not the name of a file in %q", key, path)
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return "", err
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%q is not a regular file", name)
	case info.Size() > maxFileBytes:
		return "", fmt.Errorf("%q is larger than %d bytes", name, maxFileBytes)
	}
	text, err := os.ReadFile(name)
	return string(text), err
}

// maxFileBytes bounds the file of one value.
const maxFileBytes = 1 << 20

// allows checks a path against allowed.paths: absolute ones, separated by commas; without
// any, all paths are allowed.
func (p Provider) allows(path string) error {
	if path == "" {
		return errors.New("it names no path: ${provider:path:key}")
	}
	allowed := p.Params["allowed.paths"]
	if allowed == "" {
		return nil
	}
	clean, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	for root := range strings.SplitSeq(allowed, ",") {
		root = filepath.Clean(strings.TrimSpace(root))
		if rel, err := filepath.Rel(root, clean); filepath.IsAbs(root) && err == nil && filepath.IsLocal(rel) {
			return nil
		}
	}
	return fmt.Errorf("%q is not in allowed.paths", path)
}

func (p Provider) fromEnvironment(path, key string) (string, error) {
	if path != "" {
		return "", errors.New("a variable of the environment has no path: ${provider:NAME}")
	}
	if allowed := p.Params["allowlist.pattern"]; allowed != "" {
		names, err := regexp.Compile("^(?:" + allowed + ")$")
		if err != nil {
			return "", fmt.Errorf("allowlist.pattern: %w", err)
		}
		if !names.MatchString(key) {
			return "", fmt.Errorf("%q does not match allowlist.pattern", key)
		}
	}
	value, found := os.LookupEnv(key)
	if !found {
		return "", fmt.Errorf("the environment has no variable %q", key)
	}
	return value, nil
}
