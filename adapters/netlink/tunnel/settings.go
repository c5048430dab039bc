package tunnel

import "brokerconn/ports/setting"

// rows are the defaults and bounds of Options.
var rows = setting.Of[Options](setting.Row{Field: "Timeout", Default: DefaultTimeout, Negative: "no limit"})

// Settings returns the default and the bounds of each field.
func (Options) Settings() setting.Rows { return rows }
