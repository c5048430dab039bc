package sim_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"brokerconn/application/sim"
	"brokerconn/domain"
)

// measured are rows of acceptance/discoveries that concern one connection, by the ids that they have there:
// what the real peer did as a plan, and what the connection does then, in this order. What never happens
// begins with "never "; "warns" is a warning, at any time.
var measured = []struct {
	row, plan string
	then      []string
}{
	{"expected-cluster", "set release 4.4; set expect true; 0s send; 1s impostor 50ms; 2s send", []string{
		"ApiVersions v5", "Connected", "request 1 is done", "another broker has its address",
		"ApiVersions v5", "Disconnected: protocol error: the broker answered error 129 REBOOTSTRAP_REQUIRED",
		"Connecting", "ApiVersions v5", "request 2 is done"}},
	{"expected-cluster", "set release 4.4; set expect true; set login true; 0s impostor 20ms; 0s send", []string{
		"SASLAuthenticate", "ApiVersions v5", "Disconnected: protocol error: the broker answered error 129",
		"SASLAuthenticate", "ApiVersions v5", "Connected", "request 1 is done"}},
	{"expected-cluster", "set release 4.3; set expect true; 0s send", []string{ // no broker can check
		"ApiVersions v5", "ApiVersions v4", "warns", "request 1 is done", "never Disconnected"}},
	{"expected-cluster", "set peer controller; set expect true; 0s send", []string{
		"ApiVersions v5", "warns", "request 1 is done", "never Disconnected"}},

	{"renewal-refused", "set login true; set lifetime 10s; 0s send; 2s unoffered 10ms; 2s renew; 3s send", []string{
		"Connected", "SASLHandshake", "end of the stream", "login: reauthentication failed: EOF",
		"Connecting", "SASLHandshake", "the broker does not have PLAIN", "Connected", "request 2 is done"}},
	{"renewal-refused", "set login true; set lifetime 10s; 0s send; 2s login-hangs-up 1; 2s renew; 3s send", []string{
		"Connected", "SASLHandshake", "SASLAuthenticate", "end of the stream", "login: reauthentication failed: EOF",
		"Connecting", "SASLAuthenticate", "Connected", "request 2 is done"}},
	{"renewal-refused", "set login true; set lifetime 10s; 0s send; 2s swap 1; 3s send", []string{
		"Connected", "SASLAuthenticate", "error 58 SASL_AUTHENTICATION_FAILED: Cannot change principals",
		"Connecting", "SASLAuthenticate", "Connected", "request 2 is done"}},
	{"renewal-refused", "set login true; set lifetime 10s; 0s send; 2s too-soon 1s; 2s renew; 3s send", []string{
		"Connected", "SASLHandshake", "login: reauthentication failed: the broker answered error 34",
		"Connecting", "SASLAuthenticate", "Connected", "request 2 is done"}},
	{"renewal-refused", "set login true; set lifetime 9s; 0s send; 2s renew; 2s renew; 2500ms renew; 4s ask", []string{
		"Connected", "SASLAuthenticate", "SASLAuthenticate", "request 2 is done", "never Disconnected"}},

	{"login-that-is-none", "set login true; 0s in-vain 300ms; 0s send; 3s send", []string{
		"SASLAuthenticate", "Connected", "request 1, id 4", "Disconnected: connection lost: EOF",
		"request 1 failed, fully sent", "request 2 is done"}},
	{"login-that-is-none", "set login true; set mechanism OAUTHBEARER; 0s in-vain 1 200ms; 0s send; 3s send", []string{
		"SASLAuthenticate", "Connected", "request 1, id 4", "Disconnected: connection lost: EOF",
		"request 1 failed, fully sent", "request 2 is done"}},
	{"metadata-within-a-login", "set login true; set latency 100ms; 0s ask; 0s send; 450ms ask; 2s ask", []string{
		"SASLHandshake", "SASLAuthenticate", "Connected", "Metadata", "request 1 is done", "never Disconnected"}},
	{"port-wants-a-login", "set peer sasl-listener; 0s ask; 1ms close-for-good", []string{
		"ApiVersions", "Connected", "Metadata", "Disconnected: connection lost", "request 1 failed, fully sent",
		"Closed", "never request 1 is done"}},
	{"oauth-refusals", "set login true; set mechanism OAUTHBEARER; 0s refused-token 20ms 1; 0s send; 1s send", []string{
		"SASLAuthenticate v2, id 3", "SASLAuthenticate v2, id 4", `insufficient_scope, scope "a b"`,
		"Connecting", "Connected", "request 1 is done"}},
	{"oauth-session", "set login true; set mechanism OAUTHBEARER; set token-life 10s; 0s send; 9900ms send", []string{
		"Connected", "request 1 is done", "SASLAuthenticate", "request 2 is done", "never Disconnected"}},

	{"connection-limits", "set latency 1ms; 0s send; 1s limit-ip 100ms; 1s reset; 2s send", []string{
		"Connected", "connection reset", "Connecting", "ApiVersions v4", "Disconnected: connection lost",
		"Connecting", "ApiVersions v4", "Connected", "request 2 is done"}},
	{"connection-limits", "set latency 1ms; set probe true; 0s send; 1s limit-rate 100ms; 1s reset; 4s send", []string{
		"Connected", "connection reset", "ApiVersions v4", "Disconnected: connection lost", "ApiVersions", "Connected",
		"request 2 is done", "never ListGroups", "never OffsetFetch"}},
	{"connection-limits", "0s limit-late 6s; 0s send; 8s send", []string{
		"ApiVersions v4", "Connected", "request 1 is done", "never Disconnected"}},
	{"late-refusal", "set login true; 0s deny 1s; 0s login-late 1ms; 0s login-late 1200ms; 0s send; 9s send", []string{
		"SASLHandshake", "SASLAuthenticate", "error 58 SASL_AUTHENTICATION_FAILED", "Connecting", "Connected",
		"request 1 is done", "never timed out"}},
	{"request-too-large", "0s send; 1s limit-size 1000 1s; 1s send 1500; 1s send; 3s send", []string{
		"request 1 is done", "Disconnected: connection lost", "request 2 failed, fully sent", "Connected",
		"request 4 is done", "never request 2 is done"}},
	{"controller-port", "set peer controller; 0s ask; 0s send", []string{
		"Connected", "request 2 is done", "never Metadata v", "never Disconnected"}},
	{"strimzi", "set login true; set mechanism OAUTHBEARER; 0s deny 20ms; 0s send; 1s send", []string{
		"error 58 SASL_AUTHENTICATION_FAILED: Authentication failed", "Connecting", "request 1 is done"}},

	{"error-35-in-no-layout", "set peer librdkafka-mock; 0s send", []string{
		"ApiVersions v4", "ApiVersions v0", "Connected", "request 1 is done", "never Disconnected"}},
	{"ranges-upside-down", "set peer kroxylicious; set expect true; 0s ask; 0s send", []string{
		"ApiVersions v5", "ApiVersions v4", "Connected", "request 2 is done", "never Disconnected"}},
	{"proxy-without-broker", "0s proxy-alone 20ms; 0s send; 1s send", []string{
		"Disconnected: connection lost: the broker answered error -1 UNKNOWN_SERVER_ERROR", "Connecting", "Connected",
		"request 1 is done"}},
	{"server-name-unknown", "set tls true; 0s tls-slow 1m; 0s send; 9s send", []string{
		"Handshake", "Disconnected: connection setup timed out", "Connecting", "Connected", "request 1 is done"}},
	{"mechanisms-that-are-none", "set peer tansu-open; set login true; 0s send; 1ms close-for-good", []string{
		"SASLHandshake", "the broker does not have PLAIN", "Closed", "never SASLAuthenticate", "never request 1, id"}},
	{"mechanisms-that-are-none", "set peer tansu; 0s post; 0s send; 0s post; 0s send", []string{
		"request 2 is done", "request 4 is done", "never Disconnected"}},
	{"hangs-up-at-v5", "set peer sarama-mock; set expect true; 0s send", []string{
		"ApiVersions v5", "end of the stream", "Connecting", "ApiVersions v0", "Connected", "request 1 is done"}},
	{"names-read-as-tags", "set peer tansu; set expect true; 0s send", []string{
		"warns", "ApiVersions v5", "end of the stream", "Connecting", "ApiVersions v0", "request 1 is done"}},
	{"handshake-means-nothing", "set peer kfake-open; set login true; 0s send; 1ms close-for-good", []string{
		"SASLHandshake", "SASLAuthenticate", "login: connection lost", "Disconnected: connection lost", "Closed",
		"never Connected"}},
	{"nothing-behind-the-port", "0s dead-end 20ms; 0s send; 1s dead-reset 20ms; 1s reset; 1s send; 3s send", []string{
		"Disconnected: connection lost: EOF", "Connected", "request 1 is done", "connection lost: connection reset",
		"Connected", "request 3 is done"}},
}

// TestMeasuredPeers: the simulation can show each of these peers, and the connection does what it must.
func TestMeasuredPeers(t *testing.T) {
	table, err := os.ReadFile("../../acceptance/discoveries/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range measured {
		if !strings.Contains(string(table), "| `"+m.row+"` |") {
			t.Errorf("acceptance/discoveries has no row %s", m.row)
		}
		t.Run(m.row, func(t *testing.T) {
			p, err := sim.ParsePlan(strings.ReplaceAll(m.plan, "; ", "\n"))
			if err != nil {
				t.Fatal(err)
			}
			r, story := sim.Explain(p)
			if r.Failure != nil {
				t.Fatalf("%s: %v", m.plan, r.Failure)
			}
			var b strings.Builder
			for _, e := range story.Events {
				b.WriteString(e.Text + "\n")
			}
			all := b.String()
			left := all
			for _, text := range m.then {
				if text == "warns" {
					if !strings.Contains(r.Trace, fmt.Sprintf(" event %d\n", domain.EventWarning)) {
						t.Errorf("%s: got no warning", m.plan)
					}
					continue
				}
				if no, is := strings.CutPrefix(text, "never "); is {
					if strings.Contains(all, no) {
						t.Errorf("%s: got %q, want it never, in\n%s", m.plan, no, all)
					}
					continue
				}
				_, behind, found := strings.Cut(left, text)
				if !found {
					t.Fatalf("%s: got no %q there, in\n%s", m.plan, text, all)
				}
				left = behind
			}
		})
	}
}
