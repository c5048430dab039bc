package properties

import "fmt"

// Keys that set the same thing. In one source they contradict each other. Of two sources
// the later one wins, as it does for a single key: the value in the earlier one is
// ignored, and not checked.

// exclusive are pairs of such keys.
var exclusive = [][2]*key{
	{serversKey, portKey}, {serversKey, hostKey},
	{caFileKey, caPEMKey}, {certFileKey, certPEMKey}, {keyFileKey, keyPEMKey},
	{keyStoreKey, certPEMKey}, {keyStoreKey, keyPEMKey}, {keyStoreKey, certFileKey}, {keyStoreKey, keyFileKey},
	{httpsCAFileKey, httpsCAPEMKey},
}

// passwords are those of stores, which are ignored with them.
var passwords = map[*key]*key{caFileKey: trustPasswordKey, keyStoreKey: keyStorePasswordKey}

// exclude ignores those of exclusive keys whose place a later source takes.
func (r *reader) exclude() {
	losers := map[*key]string{} // and why they lose
	for _, pair := range exclusive {
		first, second := pair[0], pair[1]
		p := r.given[second]
		switch {
		case !r.has(first) || p == nil:
		case r.later(first, second):
			r.lose(losers, second, first)
		case second == portKey && r.later(second, first):
			// It names no broker, and replaces one only together with a host.
			if !r.later(hostKey, serversKey) {
				r.reject(p, "a port alone, and an earlier source has %s: give %s as well", r.given[first].Key,
					r.name(hostKey))
				r.rejected[second] = true
			}
		case r.later(second, first):
			r.lose(losers, first, second)
		default:
			r.reject(p, "given beside %s: keep one of them", r.given[first].Key)
			r.rejected[second] = true
		}
	}
	for k, why := range losers {
		r.ignore(r.given[k], why)
		delete(r.given, k)
	}
}

func (r *reader) lose(losers map[*key]string, loser, winner *key) {
	losers[loser] = r.inPlace(winner, r.given[winner].Key)
	if password := passwords[loser]; password != nil && r.later(winner, password) {
		losers[password] = losers[loser]
	}
}

// inPlace returns why something in an earlier source than what is ignored.
func (r *reader) inPlace(k *key, what string) string {
	where := ""
	if p := r.given[k]; p.Where != "" {
		where = fmt.Sprintf(" (%s)", p.Where)
	}
	return what + " of a later source" + where + " takes its place"
}

// later reports whether both are given, and a by a later source than b.
func (r *reader) later(a, b *key) bool {
	return r.has(a) && r.has(b) && r.source[a] > r.source[b]
}
