package oauthbearer

import "brokerconn/ports/setting"

// rows are the defaults and bounds of Options.
var rows = setting.Of[Options](
	setting.Row{Field: "Timeout", Default: defaultTimeout, Negative: "no limit"},
	setting.Row{Field: "Clock", Zero: "the system's"},
	setting.Row{Field: "Rand", Zero: "math/rand/v2"},
)

var credentialRows = setting.Of[ClientCredentials](
	setting.Row{Field: "Scopes", Zero: "the endpoint's choice"},
	setting.Row{Field: "RootCAs", Zero: "the system's"},
)

var assertionRows = setting.Of[Assertion](
	setting.Row{Field: "Life", Default: defaultLife, Negative: "none"},
	setting.Row{Field: "Before", Default: defaultBefore, Negative: "none"},
	setting.Row{Field: "Clock", Zero: "the system's"},
)

// Settings returns the default and the bounds of each field.
func (Assertion) Settings() setting.Rows { return assertionRows }

// Settings returns the default and the bounds of each field.
func (Options) Settings() setting.Rows { return rows }

// Settings returns the default and the bounds of each field.
func (ClientCredentials) Settings() setting.Rows { return credentialRows }
