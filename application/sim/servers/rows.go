package servers

import (
	"fmt"
	"math"
	"strings"
	"sync"

	"brokerconn/adapters/simulation/model"
	"brokerconn/ports"
)

// What the real servers list, in their order: an API, and its versions. Tansu 0.6.0 has another order in
// each process.
const (
	librdkafkaRows = "0:0-10 1:0-16 2:0-7 3:0-13 8:0-9 9:0-6 10:0-3 11:0-6 12:0-5 13:0-4 14:0-4 18:0-2 22:0-4 " +
		"23:2-2 24:0-1 25:0-1 26:0-1 28:0-3 68:1-1 71:0-0 72:0-0 76:1-1 78:1-1 79:1-1"
	tansuRows = "0:0-11 1:0-17 2:0-9 3:0-12 8:0-9 9:0-9 10:0-6 11:0-9 12:0-4 13:0-5 14:0-5 15:0-5 16:0-5 17:0-1 " +
		"18:0-4 19:0-7 20:0-6 21:0-2 22:0-5 24:0-5 25:0-4 26:0-4 28:0-4 29:0-3 30:0-3 32:0-4 36:0-2 42:0-2 44:0-1 " +
		"46:0-0 50:0-0 51:0-0 60:0-1 69:0-0 71:0-0 75:0-0"
	// Kroxylicious 0.12.0 before Kafka 4.4.0. It intersects ranges: where nothing is left the least is above the
	// most.
	kroxyliciousRows = "0:3-12 1:4-17 2:1-10 3:0-13 8:2-9 9:1-9 10:0-6 11:2-9 12:0-4 13:0-5 14:0-5 15:0-6 16:0-5 " +
		"17:0-1 18:0-4 19:2-7 20:1-6 21:0-2 22:0-5 23:2-4 24:0-5 25:0-4 26:0-5 27:1-1 28:0-5 29:1-3 30:1-3 31:1-3 " +
		"32:1-4 33:0-2 34:1-2 35:1-4 36:0-2 37:0-3 38:1-3 39:1-2 40:1-2 41:1-3 42:0-2 43:0-2 44:0-1 45:0-0 46:0-0 " +
		"47:0-0 48:0-1 49:0-1 50:0-0 51:0-0 55:0-2 57:0-2 60:0-2 61:0-0 64:0-0 65:0-0 66:0-1 68:0-1 69:0-1 74:0-0 " +
		"75:0-0 76:1-0 77:1-0 78:1-0 79:1-0 80:0-0 81:0-0 83:0-0 84:0-0 85:0-0 86:0-0 87:0-0"
	saramaRows = "0:5-8 1:7-11"
	kfakeRows  = "0:3-13 1:4-18 2:0-10 3:0-13 8:0-10 9:0-10 10:0-6 11:0-9 12:0-4 13:0-5 14:0-5 15:0-6 16:0-5 17:1-1 " +
		"18:0-5 19:0-7 20:0-6 21:0-2 22:0-5 23:3-4 24:0-5 25:0-4 26:0-5 27:0-2 28:0-6 29:0-3 30:0-3 31:0-3 32:0-4 " +
		"33:0-2 34:0-2 35:0-5 36:0-2 37:0-3 42:0-3 43:0-2 44:0-1 45:0-1 46:0-0 47:0-0 48:0-1 49:0-1 50:0-0 51:0-0 " +
		"57:0-2 60:0-2 61:0-0 65:0-0 66:0-2 68:0-1 69:0-1 71:0-0 72:0-0 74:0-1 75:0-0 76:0-1 77:0-1 78:0-2 79:0-2 " +
		"90:0-1 91:0-0 92:0-0"
)

// kfakeFeatures are finalized at their maximum.
var kfakeFeatures = []model.Feature{
	{Name: "eligible.leader.replicas.version", Max: 1},
	{Name: "group.version", Max: 1},
	{Name: "kraft.version", Max: 1},
	{Name: "metadata.version", Min: 7, Max: 33},
	{Name: "share.version", Max: 2},
	{Name: "streams.version", Max: 1},
	{Name: "transaction.version", Max: 2},
}

// Features of Kafka 4.4.0, in the order in which it has them.
var (
	kafkaSupported = []model.Feature{{Name: "group.version", Max: 1}, {Name: "kraft.version", Max: 1},
		{Name: "metadata.version", Min: 7, Max: 33}, {Name: "share.version", Max: 2}, {Name: "streams.version", Max: 1},
		{Name: "transaction.version", Max: 2}, {Name: "eligible.leader.replicas.version", Max: 1}}
	kafkaFinalized = []model.Feature{{Name: "group.version", Min: 1, Max: 1}, {Name: "streams.version", Min: 1, Max: 1},
		{Name: "transaction.version", Min: 2, Max: 2}, {Name: "eligible.leader.replicas.version", Min: 1, Max: 1},
		{Name: "share.version", Min: 2, Max: 2}, {Name: "metadata.version", Min: 33, Max: 33}}
)

// APIs of these servers, which are shared.
var (
	librdkafkaAPIs   = sync.OnceValue(func() []model.API { return rows(librdkafkaRows) })
	kroxyliciousAPIs = sync.OnceValue(func() []model.API { return rows(kroxyliciousRows) })
	tansuAPIs        = sync.OnceValue(func() []model.API { return rows(tansuRows) })
	kfakeAPIs        = sync.OnceValue(func() []model.API { return rows(kfakeRows) })
	saramaAPIs       = sync.OnceValue(func() []model.API {
		apis := rows(saramaRows)
		for _, a := range APIs(Count() - 1) {
			switch {
			case a.Key == ports.KeyAPIVersions:
				a.Max, a.Unlisted = 4, true
			case a.Key > 1 && a.Key != KeyEcho: // without a handler
				a.Max, a.Unlisted, a.Silent = math.MaxInt16, true, true
			default:
				continue
			}
			apis = append(apis, a)
		}
		return apis
	})
)

// rows returns the APIs of a text, with those before them that are not listed: [KeyEcho], and Produce in all
// versions where the server lacks the first ones, which clients in simulations send.
func rows(text string) []model.API {
	apis := []model.API{Echo(false)}
	for field := range strings.FieldsSeq(text) {
		var row ports.APIRange
		if _, err := fmt.Sscanf(field, "%d:%d-%d", &row.Key, &row.Min, &row.Max); err != nil {
			panic(err) // the texts are constants
		}
		api := apiOf(row)
		if row.Key == keyProduce && row.Min > 0 {
			all := api
			all.Min, all.Max, all.Unlisted = 0, math.MaxInt16, true
			apis = append(apis, all)
		}
		apis = append(apis, api)
	}
	return apis
}
