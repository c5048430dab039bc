package tcp

import "brokerconn/ports/setting"

// rows are the defaults and bounds of Options.
var rows = setting.Of[Options](
	setting.Row{Field: "SendBufferBytes", Zero: "the system's", Negative: "the system's"},
	setting.Row{Field: "ReceiveBufferBytes", Zero: "the system's", Negative: "the system's"},
	setting.Row{Field: "KeepAlive", Zero: "probes after 60 s"},
	setting.Row{Field: "AddressFamily", Zero: "any"},
	setting.Row{Field: "LocalAddr", Zero: "any"},
	setting.Row{Field: "Resolver", Zero: "net.DefaultResolver"},
)

// Settings returns the default and the bounds of each field.
func (Options) Settings() setting.Rows { return rows }
