package properties

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"brokerconn/application/properties/placeholders"
	"brokerconn/ports"
)

// Placeholders, ${provider:path:key}, are Java's; in values of the other clients one of a
// provider that Kafka brings, or that config.providers names, is an error, since they would
// send it as it is.

const (
	providersKey    = "config.providers"
	providersPrefix = providersKey + "."
)

// readProviders reads the lines that declare providers; later sources replace earlier ones.
func (r *reader) readProviders(sources [][]Property) {
	lines := map[string]string{}
	for _, p := range slices.Concat(sources...) {
		if p.Key == providersKey || strings.HasPrefix(p.Key, providersPrefix) {
			lines[p.Key] = value(&p)
		}
	}
	r.providers = placeholders.Providers{}
	for _, name := range list(lines[providersKey]) {
		provider := placeholders.Provider{Class: lines[providersPrefix+name+".class"], Params: map[string]string{}}
		for key, value := range lines {
			if param, found := strings.CutPrefix(key, providersPrefix+name+".param."); found {
				provider.Params[param] = value
			}
		}
		r.providers[name] = provider
	}
}

// aVariable is a placeholder of a shell, of a template or of Spring.
var aVariable = regexp.MustCompile(`\$\{[A-Za-z_][A-Za-z0-9_.-]*\}|\{\{.*\}\}`)

// resolve returns p with its placeholders replaced, or rejects it.
func (r *reader) resolve(k *key, p *Property) *Property {
	text := p.Value.Reveal()
	names := placeholders.In(text)
	declared := func(name string) bool { return r.providers[name].Class != "" || placeholders.IsStandard(name) }
	switch i := slices.IndexFunc(names, declared); {
	case names == nil || r.s.Dialect != Java && i < 0:
		if aVariable.MatchString(text) {
			r.s.literal = append(r.s.literal, rejection(p,
				"it has a placeholder, which no client replaces, and is used as it is written"))
		}
		return p
	case r.s.Dialect != Java:
		r.reject(p, "the placeholder ${%s:...} is Java's, and %v would send it as it is: give the value", names[i],
			r.s.Dialect)
		r.rejected[k] = true
		return p
	}
	resolved, err := r.providers.Resolve(text, parsePairs)
	if err == nil && slices.ContainsFunc(placeholders.In(resolved), declared) {
		err = errors.New("the value that takes the place of its placeholder has one itself, which Java would send as " +
			"it is")
	}
	for _, each := range unjoined(err) {
		r.reject(p, "%v", each)
		r.rejected[k] = true
	}
	whole := *p
	whole.Value, whole.replaced = ports.NewSecret(strings.TrimSpace(resolved)), true
	return &whole
}

// parsePairs reads the file of a provider, in which the last of several lines counts, and
// spaces at the end of a value are part of it.
func parsePairs(name string) (map[string]string, error) {
	text, err := readBounded(name, MaxFileBytes)
	if err != nil {
		return nil, err
	}
	all, err := parse(name, text, "")
	if err != nil {
		return nil, err
	}
	pairs := map[string]string{}
	for _, p := range all {
		if p.flaw != "" {
			return nil, fmt.Errorf("%s: %s", p.Where, p.flaw)
		}
		pairs[p.Key] = p.Value.Reveal()
	}
	return pairs, nil
}
