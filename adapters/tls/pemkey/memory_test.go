package pemkey

import (
	"encoding/pem"
	"fmt"
	"strings"
	"testing"

	"brokerconn/acceptance/hostile"
)

// perByte is the memory for each byte of a file: its text, and the copies that are decoded and decrypted.
const perByte = 20

// TestHostileKeysCostNoMemory: a lie about any length or cost in a key costs no memory ahead of the file's bytes.
func TestHostileKeysCostNoMemory(t *testing.T) {
	l := loader{costs: costs{rounds: 10, memory: 1 << 12, work: 1 << 6},
		password: func() ([]byte, error) { return []byte("p"), nil }}
	load := func(name string, file []byte) {
		hostile.Bounded(t, name, file, perByte, func() { _, _ = l.load(file) }) // it may be valid
	}
	for name, valid := range map[string][]byte{
		"PKCS#8":           framed("PRIVATE KEY", rfc8410),
		"PKCS#8, PBKDF2":   sealedBy(t, pbkdf2Parameters{Salt: []byte("salt"), Rounds: 2}, "p"),
		"PKCS#8, scrypt":   sealedBy(t, scryptParameters{Salt: []byte("salt"), N: 2, R: 1, P: 1}, "p"),
		"scrypt of a GiB":  framed("ENCRYPTED PRIVATE KEY", rfc7914),
		"PKCS#8 and PBES1": sealedInTheOldWay(t, []int{1, 2, 840, 113549, 1, 12, 1, 6}, 3),
	} {
		block, _ := pem.Decode(valid)
		for lie, der := range hostile.Lies(block.Bytes) {
			load(fmt.Sprintf("%s, %s", name, lie), pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: der}))
		}
	}
	const long = 1 << 20
	load("begin lines", []byte(strings.Repeat("-----BEGIN PRIVATE KEY-----\n", long/28)))
	load("a long type", []byte("-----BEGIN "+strings.Repeat("X", long)+"-----\n"))
	load("headers", []byte("-----BEGIN RSA PRIVATE KEY-----\n"+strings.Repeat("A: b\n", long/5)+"\n"))
	load("no key", []byte(strings.Repeat("x", long)))
}
