package krb5

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"brokerconn/ports"

	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/types"
)

// keys holds the client's long-term keys, from a password or from a keytab.
type keys interface {
	// order moves the encryption types with a key to the front: the KDC chooses the
	// first type that it has a key of.
	order(who Principal, etypes []int32) []int32
	// key returns the key of a type. data is the KDC's description of the derivation.
	key(who Principal, etype int32, data types.PADataSequence) (types.EncryptionKey, error)
}

type password struct {
	secret ports.Secret
	least  int // iterations that a KDC may request
}

func (password) order(_ Principal, etypes []int32) []int32 { return etypes }

func (p password) key(who Principal, etype int32, data types.PADataSequence) (types.EncryptionKey, error) {
	_, params := saltOf(etype, data)
	if len(params) == 4 {
		if n := binary.BigEndian.Uint32(params); n > 0 && n < uint32(p.least) {
			weak := failure(BadAnswer, who.String(),
				"the KDC requests %d iterations of the password hash, the minimum is %d", n, p.least)
			weak.hint = "do not trust this KDC, or raise its count; if it is intended, lower Options.MinIterations"
			return types.EncryptionKey{}, weak
		}
	}
	return keyOfPassword(p.secret.Reveal(), who, etype, data)
}

// keyring holds the contents of a keytab.
type keyring []keyringEntry

type keyringEntry struct {
	who     Principal
	version uint32
	key     types.EncryptionKey
}

const maxKeytabBytes = 1 << 20

// parseKeytab reads a keytab. It drops gokrb5's errors, which print keys.
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

// types returns the encryption types of a principal's keys.
func (k keyring) types(who Principal) (all []int32) {
	for _, e := range k {
		if e.who.is(who) {
			all = append(all, e.key.KeyType)
		}
	}
	return all
}

// names returns the principals in the keytab, for errors.
func (k keyring) names() string {
	var all []string
	for _, e := range k {
		if name := e.who.String(); !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return cmp.Or(strings.Join(all, ", "), "no principal")
}

func (k keyring) order(who Principal, etypes []int32) []int32 {
	known := k.types(who)
	has := func(etype int32) bool { return slices.Contains(known, etype) }
	lacks := func(etype int32) bool { return !has(etype) }
	return append(slices.DeleteFunc(slices.Clone(etypes), lacks), slices.DeleteFunc(slices.Clone(etypes), has)...)
}

// key returns the newest key. It ignores the key version that the KDC names, as MIT
// does: the version numbers in keytabs made for Active Directory are often wrong.
func (k keyring) key(who Principal, etype int32, _ types.PADataSequence) (key types.EncryptionKey, err error) {
	newest := uint32(0)
	for _, e := range k {
		if e.who.is(who) && e.key.KeyType == etype && e.version >= newest {
			key, newest = e.key, e.version
		}
	}
	if key.KeyValue == nil {
		return key, failure(BadKeytab, who.String(), "the keytab has no key of encryption type %d, which the KDC chose",
			etype)
	}
	return key, nil
}
