package kafkacodec_test

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestFlexibleEncodings follows KIP-482 (https://cwiki.apache.org/confluence/x/p64OBw): unsigned varints of at most 5
// bytes, of which some may be in vain as in those of protobuf and Java's ByteUtils.readUnsignedVarint, and tagged
// fields with their size. The body is an ApiVersions response v3: no error, the table, the throttle time, the tags.
// Tag 1 is FinalizedFeaturesEpoch, an int64.
func TestFlexibleEncodings(t *testing.T) {
	const key = "0003 0000 000c 00" // Metadata v0 to v12, no tags
	for name, c := range map[string]struct {
		body  string
		valid bool
	}{
		"plain":                     {"0000 02" + key + "00000000 00", true},
		"a count of 5 bytes":        {"0000 8280808000" + key + "00000000 00", true},
		"a count of 6 bytes":        {"0000 828080808000" + key + "00000000 00", false},
		"a count of 31 bits":        {"0000 ffffffff07" + key + "00000000 00", false},
		"a count of 32 bits":        {"0000 8280808008" + key + "00000000 00", false},
		"a tag":                     {"0000 02" + key + "00000000 01 01 08 0000000000000007", true},
		"a tag with a byte more":    {"0000 02" + key + "00000000 01 01 09 0000000000000007 00", false},
		"a tag with a byte less":    {"0000 02" + key + "00000000 01 01 07 00000000000000", false},
		"a tag that is not known":   {"0000 02" + key + "00000000 01 7f 03 010203", true},
		"a tag longer than the end": {"0000 02" + key + "00000000 01 7f 04 010203", false},
	} {
		body, err := hex.DecodeString(strings.ReplaceAll(c.body, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		_, err = codec.Decode(kmsg.NewPtrApiVersionsRequest(), 3, body)
		if (err == nil) != c.valid {
			t.Errorf("%s: got %v, want valid %v", name, err, c.valid)
		}
	}
}
