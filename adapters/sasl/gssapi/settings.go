package gssapi

import (
	"brokerconn/adapters/sasl/gssapi/krb5"
	"brokerconn/ports/setting"
)

const defaultService = "kafka"

// rows are the defaults and bounds of Options.
var rows = setting.Of[Options](
	setting.Row{Field: "ServiceName", Default: defaultService},
	setting.Row{Field: "DomainName", Zero: "the host connected to"},
	setting.Row{Field: "TicketCache", Zero: "that of KRB5CCNAME"},
	setting.Row{Field: "ConfigFile", Zero: "that of KRB5_CONFIG"},
	setting.Row{Field: "KDCTimeout", Default: krb5.DefaultKDCTimeout},
	setting.Row{Field: "MinIterations", Default: krb5.DefaultMinIterations},
	setting.Row{Field: "Clock", Zero: "the system's"},
)

// Settings returns the default and the bounds of each field.
func (Options) Settings() setting.Rows { return rows }
