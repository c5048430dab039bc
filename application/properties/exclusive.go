package properties

import "fmt"

// Settings that are two ways to say one thing. In one source they contradict each
// other. Of two sources the later one wins, as it does for a single setting: what
// the earlier one says is ignored, and not looked at.

// exclusive are pairs of them.
var exclusive = [][2]*setting{
	{serversKey, portKey},
	{serversKey, hostKey},
	{caFileKey, caPEMKey},
	{certFileKey, certPEMKey},
	{keyFileKey, keyPEMKey},
	{keyStoreKey, certPEMKey},
	{keyStoreKey, keyPEMKey},
	{keyStoreKey, certFileKey},
	{keyStoreKey, keyFileKey},
	{httpsCAFileKey, httpsCAPEMKey},
}

// passwords are those of stores, which go with them.
var passwords = map[*setting]*setting{
	caFileKey:   trustPasswordKey,
	keyStoreKey: keyStorePasswordKey,
}

// exclude settles which of exclusive settings are left to be read.
func (r *reader) exclude() {
	losers := map[*setting]string{} // and why they lose
	for _, pair := range exclusive {
		first, second := pair[0], pair[1]
		p := r.given[second]
		switch {
		case !r.has(first) || p == nil:
		case r.later(first, second):
			r.lose(losers, second, first)
		case second == portKey && r.later(second, first):
			// It names no broker. Only with a host does it take a broker's place.
			if !r.later(hostKey, serversKey) {
				r.refuse(p, "a port alone, and an earlier source has %s: give %s as well", r.given[first].Key, r.name(hostKey))
				r.bad[second] = true
			}
		case r.later(second, first):
			r.lose(losers, first, second)
		default:
			r.refuse(p, "given beside %s, which is the same: keep one", r.given[first].Key)
			r.bad[second] = true
		}
	}
	for s, why := range losers {
		r.ignore(r.given[s], why)
		delete(r.given, s)
	}
}

func (r *reader) lose(losers map[*setting]string, loser, winner *setting) {
	losers[loser] = r.inPlace(winner, r.given[winner].Key)
	if password := passwords[loser]; password != nil && r.later(winner, password) {
		losers[password] = losers[loser]
	}
}

// inPlace is why something is ignored that stands in an earlier source than what.
func (r *reader) inPlace(s *setting, what string) string {
	where := ""
	if p := r.given[s]; p.Where != "" {
		where = fmt.Sprintf(" (%s)", p.Where)
	}
	return what + " of a later source" + where + " takes its place"
}

// later reports whether both are given, and a by a later source than b.
func (r *reader) later(a, b *setting) bool {
	return r.has(a) && r.has(b) && r.source[a] > r.source[b]
}
