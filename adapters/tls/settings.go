package tls

import (
	"time"

	"brokerconn/ports/setting"
)

// rows are the defaults and bounds of Options.
var rows = setting.Of[Options](
	setting.Row{Field: "CAFile", Zero: "the system's"},
	setting.Row{Field: "CAPEM", Zero: "the system's"},
	setting.Row{Field: "ServerName", Zero: "the host connected to"},
	setting.Row{Field: "MaxCRLAge", Default: 30 * 24 * time.Hour, Negative: "no limit"},
	setting.Row{Field: "Ciphers", Zero: "crypto/tls's"},
	setting.Row{Field: "CipherSuites", Zero: "crypto/tls's"},
	setting.Row{Field: "MinVersion", Zero: "TLS 1.2"},
	setting.Row{Field: "MaxVersion", Zero: "TLS 1.3"},
	setting.Row{Field: "Clock", Zero: "the system's"},
)

// Settings returns the default and the bounds of each field.
func (Options) Settings() setting.Rows { return rows }
