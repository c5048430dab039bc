package scram

import "brokerconn/ports/setting"

// rows are the defaults and bounds of Options.
var rows = setting.Of[Options](
	setting.Row{Field: "MaxIterations", Default: defaultIterations},
	setting.Row{Field: "Nonce", Zero: "crypto/rand"},
)

// Settings returns the default and the bounds of each field.
func (Options) Settings() setting.Rows { return rows }
