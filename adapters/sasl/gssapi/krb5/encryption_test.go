package krb5

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/types"

	"brokerconn/acceptance/saslpeer"
)

// Test vectors of RFC 3962, appendix B, and RFC 8009, appendix A.
func TestKeyOfPassword(t *testing.T) {
	const salt = "ATHENA.MIT.EDUraeburn"
	sha2Salt := "\x10\xDF\x9D\xD7\x83\xE5\xBC\x8A\xCE\xA1\x73\x0E\x74\x35\x5F\x61" + salt
	raeburn := Principal{nameOf("raeburn"), "ATHENA.MIT.EDU"}
	someone := Principal{nameOf("someone"), "ELSEWHERE"}
	given := func(salt string) types.PADataSequence {
		return types.PADataSequence{{PADataType: patype.PA_PW_SALT, PADataValue: []byte(salt)}}
	}
	rounds := func(etype int32, n uint32) types.PADataSequence {
		var data types.PADataSequence
		saslpeer.Succeed(t, data.Unmarshal(methods(etype, binary.BigEndian.AppendUint32(nil, n))))
		return data
	}
	for _, c := range []struct {
		who   Principal
		etype int32
		data  types.PADataSequence
		want  string
	}{
		{raeburn, 17, rounds(17, 1), "42263c6e89f4fc28b8df68ee09799f15"},
		{raeburn, 18, rounds(18, 1), "fe697b52bc0d3ce14432ba036a92e65bbb52280990a2fa27883998d72af30161"},
		{raeburn, 17, rounds(17, 2), "c651bf29e2300ac27fa469d693bdda13"},
		{raeburn, 18, rounds(18, 2), "a2e16d16b36069c135d5e9d2e25f896102685618b95914b467c67622225824ff"},
		{raeburn, 17, rounds(17, 1200), "4c01cd46d632d01e6dbe230a01ed642a"},
		{someone, 19, given(sha2Salt), "089bca48b105ea6ea77ca5d2f39dc5e7"},
		{someone, 20, given(sha2Salt), "45bd806dbf6a833a9cffc1c94589a222367a79bc21c413718906e9f578a78467"},
	} {
		key := saslpeer.Must(keyOfPassword("password", c.who, c.etype, c.data))
		saslpeer.Equal(t, c.who.String(), fmt.Sprintf("%x", key.KeyValue), c.want)
		saslpeer.Equal(t, c.who.String(), key.KeyType, c.etype)
	}
	mustFail(t, saslpeer.Err(keyOfPassword("password", raeburn, 3, nil)), EncryptionTypes)
	mustFail(t, saslpeer.Err(keyOfPassword("password", raeburn, 18, rounds(18, maxIterations+1))), BadAnswer)
}

// A keytab may have keys of several versions and types. Their types are requested first,
// and the newest key is used.
func TestKeyring(t *testing.T) {
	alice, bob := inRealm("alice"), inRealm("bob")
	entry := func(who Principal, version uint32, etype int32, value string) keyringEntry {
		return keyringEntry{who, version, types.EncryptionKey{KeyType: etype, KeyValue: []byte(value)}}
	}
	k := keyring{entry(alice, 2, 17, "new"), entry(alice, 1, 17, "old"), entry(alice, 1, 20, "other"),
		entry(bob, 9, 17, "bob's")}
	saslpeer.Equal(t, "the order", fmt.Sprint(k.order(alice, preferred)), "[17 20 18 19]")
	saslpeer.Equal(t, "the names", k.names(), "alice@EXAMPLE.ORG, bob@EXAMPLE.ORG")
	saslpeer.Equal(t, "the newest key", string(saslpeer.Must(k.key(alice, 17, nil)).KeyValue), "new")
	mustFail(t, saslpeer.Err(k.key(alice, 18, nil)), BadKeytab)
}
