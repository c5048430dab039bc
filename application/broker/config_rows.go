package broker

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"brokerconn/adapters/clock/system"
	"brokerconn/adapters/kafkacodec"
	"brokerconn/ports"
	"brokerconn/ports/setting"
)

// rows are the defaults and bounds of Config; no other place repeats them. What takes
// more than one field to tell is in config_check.go and in withDefaults.
var rows = setting.Of[Config](
	setting.Row{Field: "Host", Default: "localhost"},
	setting.Row{Field: "Port", Default: uint16(DefaultPort)},
	setting.Row{Field: "ClientID", Default: "brokerconn-" + Version, Max: 249},
	setting.Row{Field: "SoftwareName", Default: "brokerconn"},
	setting.Row{Field: "SoftwareVersion", Default: "unknown"},
	setting.Row{Field: "ClusterID", Zero: "any"},
	setting.Row{Field: "NodeID", Zero: "any"},
	setting.Row{Field: "APIVersion", Zero: "the broker is asked"},
	setting.Row{Field: "ProbeOldReleases", Zero: "yes for a Polled and CheckVersion, no for a Conn"},
	setting.Row{Field: "APIVersionTimeout",
		Zero: fmt.Sprintf("none, %d s for a Polled", polledVersionTimeout/time.Second)},
	setting.Row{Field: "RequestTimeout", Default: 30 * time.Second},
	setting.Row{Field: "MaxHold", Default: 10 * time.Minute, Negative: "no such time"},
	setting.Row{Field: "SetupTimeout", Default: 10 * time.Second},
	// Without a pause an owner that tries again at once would never rest.
	setting.Row{Field: "ReconnectBackoff", Default: 50 * time.Millisecond, Min: int64(time.Millisecond)},
	setting.Row{Field: "ReconnectBackoffMax", Default: time.Second, Min: int64(time.Millisecond)},
	setting.Row{Field: "MaxThrottle", Default: time.Minute},
	setting.Row{Field: "IdleTimeout", Negative: "no limit",
		Zero: fmt.Sprintf("%d min for a Conn, no limit for a Polled", defaultIdleTimeout/time.Minute)},
	setting.Row{Field: "PingInterval", Zero: "no pings"},
	setting.Row{Field: "StallAfter", Zero: "none is reported"},
	setting.Row{Field: "MaxInFlight", Default: 5},
	setting.Row{Field: "MaxPendingBytes", Default: 32 << 20},
	// A frame is 4 bytes longer, and its length must fit an int of 32 bits.
	setting.Row{Field: "MaxResponseBytes", Default: int32(100 << 20), Max: math.MaxInt32 - 4},
	setting.Row{Field: "Transport", Zero: "TCP"},
	setting.Row{Field: "Codec", Default: ports.Codec(kafkacodec.Codec{})},
	setting.Row{Field: "Clock", Default: ports.Clock(system.Clock{})},
	setting.Row{Field: "Selector", Zero: "of the clock and the link"},
	setting.Row{Field: "Rand", Default: rand.Uint64},
)

// Settings returns the default and the bounds of each field.
func (Config) Settings() setting.Rows { return rows }
