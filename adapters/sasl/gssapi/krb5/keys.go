package krb5

import (
	"slices"
	"strings"

	"brokerconn/ports"

	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/types"
)

// The long-term key of the client: out of its password, or out of a keytab.

type keys interface {
	// order puts first the types that there are keys of: the KDC takes the first one
	// that it has a key of.
	order(who Principal, wanted []int32) []int32
	// key returns the key of a type. data is what the KDC says about deriving it.
	key(who Principal, etype int32, data types.PADataSequence) (types.EncryptionKey, error)
}

type password struct{ secret ports.Secret }

func (password) order(_ Principal, wanted []int32) []int32 { return wanted }

func (p password) key(who Principal, etype int32, data types.PADataSequence) (types.EncryptionKey, error) {
	return keyOfPassword(p.secret.Reveal(), who, etype, data)
}

// keyring is a keytab, as it was when it was read.
type keyring []keyringEntry

type keyringEntry struct {
	who     Principal
	version uint32
	key     types.EncryptionKey
}

const maxKeytabBytes = 1 << 20

// parseKeytab reads a keytab. The errors of gokrb5 would print the keys.
func parseKeytab(data []byte) (keyring, bool) {
	var table keytab.Keytab
	if !Contain(func() error { return table.Unmarshal(data) }) {
		return nil, false
	}
	var all keyring
	for _, e := range table.Entries {
		name := types.PrincipalName{NameType: e.Principal.NameType, NameString: e.Principal.Components}
		all = append(all, keyringEntry{Principal{name, e.Principal.Realm}, e.KVNO, e.Key})
	}
	return all, true
}

// types are those that there is a key of.
func (k keyring) types(who Principal) (all []int32) {
	for _, e := range k {
		if e.who.is(who) {
			all = append(all, e.key.KeyType)
		}
	}
	return all
}

// names are the principals that there are keys of, for errors.
func (k keyring) names() string {
	var all []string
	for _, e := range k {
		if name := e.who.String(); !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	if len(all) == 0 {
		return "nobody"
	}
	return strings.Join(all, ", ")
}

func (k keyring) order(who Principal, wanted []int32) []int32 {
	has := k.types(who)
	var first, rest []int32
	for _, etype := range wanted {
		if slices.Contains(has, etype) {
			first = append(first, etype)
		} else {
			rest = append(rest, etype)
		}
	}
	return append(first, rest...)
}

// key returns the newest key, whatever version the KDC says that it has, as MIT
// does: the numbers in keytabs made for Active Directory are often wrong.
func (k keyring) key(who Principal, etype int32, _ types.PADataSequence) (key types.EncryptionKey, err error) {
	newest := uint32(0)
	for _, e := range k {
		if e.who.is(who) && e.key.KeyType == etype && e.version >= newest {
			key, newest = e.key, e.version
		}
	}
	if key.KeyValue == nil {
		return key, failure(BadKeytab, who.String(), "it has no key of the type %d, which the KDC chose", etype)
	}
	return key, nil
}
