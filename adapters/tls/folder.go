package tls

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// A folder of authorities is one as OpenSSL's clients take it: each file has one certificate
// or more in PEM, and the hash of a subject as its name. Other files are not read, as OpenSSL
// does not. The content of the folder is that of its files, one after the other.

// hashedName matches the names that openssl rehash gives to certificates; those of revocation
// lists have an r before the number.
var hashedName = regexp.MustCompile(`^[0-9a-f]{8}\.[0-9]+$`)

// refreshFolder reads the files that may have changed, and reports whether the content has.
func (f *file) refreshFolder() (changed bool, err error) {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return false, err
	}
	members, skipped := map[string]*file{}, []string(nil)
	for _, e := range entries {
		if !hashedName.MatchString(e.Name()) {
			continue
		}
		m := f.members[e.Name()]
		if m == nil {
			m = &file{path: filepath.Join(f.path, e.Name())}
		}
		fresh, err := m.refresh()
		if err != nil {
			skipped = append(skipped, err.Error())
			continue
		}
		changed = changed || fresh || f.members[e.Name()] == nil
		members[e.Name()] = m
	}
	if len(members) == 0 {
		return false, fmt.Errorf("the folder %q has no certificate with a name such as 5ed36f99.0: run openssl rehash",
			f.path)
	}
	changed = changed || len(members) != len(f.members) || !slices.Equal(skipped, f.skipped)
	f.members, f.skipped = members, skipped
	if changed {
		f.data = nil
		for _, e := range entries {
			if m := members[e.Name()]; m != nil {
				f.data = append(append(f.data, m.data...), '\n')
			}
		}
	}
	return changed, nil
}
