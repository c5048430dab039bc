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

// APIs of these servers, which are shared.
var (
	librdkafkaAPIs = sync.OnceValue(func() []model.API { return rows(librdkafkaRows) })
	tansuAPIs      = sync.OnceValue(func() []model.API { return rows(tansuRows) })
	kfakeAPIs      = sync.OnceValue(func() []model.API { return rows(kfakeRows) })
	saramaAPIs     = sync.OnceValue(func() []model.API {
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
