package sim

import (
	engine "brokerconn/application/sim"
)

// maxEvents is how many events of a failure are drawn unless it is set.
const maxEvents = 200

// failureReport is an invariant that did not hold, as JSON.
type failureReport struct {
	Invariant string `json:"invariant"`
	At        string `json:"at"`
	Text      string `json:"text"`
	Seed      uint64 `json:"seed"`
	Reproduce string `json:"reproduce,omitempty"`
	Plan      string `json:"plan"`
	Chart     string `json:"chart"`
}

func newFailureReport(p engine.Plan, f *engine.Failure) *failureReport {
	_, story := engine.Explain(p)
	return &failureReport{Invariant: f.Invariant, At: f.At.String(), Text: f.Text, Seed: p.Seed,
		Plan: p.String(), Chart: story.Shortened(maxEvents).Text()}
}
