package kafkacodec

import (
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Keys returns the API keys that kmsg supports, ascending.
func Keys() []int16 {
	var keys []int16
	for key := int16(0); key <= kmsg.MaxKey; key++ {
		if kmsg.RequestForKey(key) != nil {
			keys = append(keys, key)
		}
	}
	return keys
}

// KeyName returns Kafka's name of an API, for example "Metadata" for 3, and
// "API key 1000" for a key that kmsg does not support.
func KeyName(key int16) string {
	if kmsg.RequestForKey(key) == nil {
		return fmt.Sprintf("API key %d", key)
	}
	return kmsg.NameForKey(key)
}

// MaxVersion returns the highest version of an API that kmsg can encode, and false for
// an API that it does not support. The lowest is always 0.
func MaxVersion(key int16) (int16, bool) {
	req := kmsg.RequestForKey(key)
	if req == nil {
		return 0, false
	}
	return req.MaxVersion(), true
}

// RequestByName returns a new request with kmsg's defaults, by Kafka's name of
// the API in any case: "metadata" yields a *kmsg.MetadataRequest.
func RequestByName(name string) (Request, bool) {
	for key := int16(0); key <= kmsg.MaxKey; key++ {
		if req := kmsg.RequestForKey(key); req != nil && strings.EqualFold(name, kmsg.NameForKey(key)) {
			return req, true
		}
	}
	return nil, false
}
