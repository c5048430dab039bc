// Package sentences has what charts of application/sim say of the steps of a plan.
package sentences

import (
	"strconv"
	"strings"
	"time"
)

// The actors of a chart.
const (
	Owner      = "owner"
	Connection = "connection"
	Network    = "network"
	Broker     = "broker"
)

// sentence is what a chart says of a step, and at which actor. N and FOR are the arguments of the step.
type sentence struct{ at, text string }

var sentences = map[string]sentence{
	"close": {Owner, "close, and connect again with the next request"},
	"drain": {Owner, "close, once nothing is in flight"},
	"renew": {Owner, "renew the session"},
	"check": {Owner, "check the release within FOR"},
	"doze":  {Owner, "receives nothing for FOR"},
	"swap":  {Owner, "replace the authenticators"},

	"close-for-good": {Owner, "close for good"},
	"drain-for-good": {Owner, "close for good, once nothing is in flight"},
	"dial":           {Owner, "make another connection"},

	"ask":      {Owner, "ask for Metadata of a topic"},
	"withdraw": {Owner, "give up a request that is in the queue"},
	"lose":     {Owner, "close with a cause, and connect again with the next request"},

	"reset":        {Network, "the connection is reset"},
	"fin":          {Network, "the connection is closed"},
	"half-close":   {Network, "nothing more is sent to the client, and its bytes are still read"},
	"silence":      {Network, "silence: what is on the way is lost, and all that follows"},
	"forget":       {Network, "the flow is forgotten: all that is sent is lost"},
	"forget-reset": {Network, "the flow is forgotten: all that is sent is answered with a reset"},
	"refuse":       {Network, "dials are refused for FOR"},
	"deaf":         {Network, "dials have no answer for FOR"},
	"dead-end":     {Network, "connections are accepted and closed at once for FOR"},
	"no-dns":       {Network, "the name has no address for FOR"},
	"slow-dns":     {Network, "lookups of the name take FOR"},

	"restart": {Broker, "it is killed, and away for FOR"},
	"stop":    {Broker, "it ends, and is away for FOR"},
	"slow":    {Broker, "each answer of the next second takes FOR"},

	"drop":          {Broker, "it will not send the next answer"},
	"late":          {Broker, "the next answer will take FOR"},
	"wrong-id":      {Broker, "the next answer will have an id that is N too high"},
	"twice":         {Broker, "it will send the next answer twice"},
	"overtake":      {Broker, "the next answer will overtake others"},
	"cut":           {Broker, "it will send N bytes of the next answer, and end the connection"},
	"size":          {Broker, "the next answer will have the size N"},
	"negative-size": {Broker, "the next answer will have the size -N"},
	"short":         {Broker, "the next answer will lack N bytes"},
	"long":          {Broker, "the next answer will have N bytes more"},
	"answer-all":    {Broker, "the next answer will be sent, even if none is expected"},
	"http":          {Broker, "the next answer will be one of HTTP"},
	"alert":         {Broker, "the next answer will be an alert of TLS"},
	"then-close":    {Broker, "it will end the connection behind the next answer"},
	"then-reset":    {Broker, "it will reset the connection instead of the next answer"},
	"throttle":      {Broker, "the next answer that can will throttle the client for FOR"},
	"gap":           {Owner, "the process is stopped for FOR"},
	"upgrade":       {Broker, "it becomes one of N releases later, and is away for FOR"},
	"downgrade":     {Broker, "it becomes one of N releases before, and is away for FOR"},
	"impostor":      {Broker, "another broker has its address for FOR"},
	"limit-ip":      {Broker, "it closes new connections without a byte for FOR"},
	"limit-rate":    {Broker, "it holds new connections for a second and resets them, for FOR"},
	"limit-late":    {Broker, "it serves new connections late for FOR"},
	"limit-size":    {Broker, "it closes on requests of more than N bytes for FOR"},
	"proxy-alone":   {Broker, "it is a proxy without a broker for FOR"},
	"dead-reset":    {Network, "connections are accepted and reset at once for FOR"},

	"error": {Broker, "the next answer will have the error N"},

	"deny":             {Broker, "logins are refused for FOR"},
	"no-token":         {Owner, "has no token for FOR"},
	"expired-token":    {Owner, "has a token that has expired, for FOR"},
	"refused-token":    {Broker, "tokens are refused for FOR"},
	"slow-credentials": {Owner, "credentials take FOR within the next second"},
	"weak-iterations":  {Broker, "the next login will have too few iterations of SCRAM"},
	"huge-iterations":  {Broker, "the next login will have too many iterations of SCRAM"},
	"bad-nonce":        {Broker, "the next login will have the nonce of another one"},
	"extension":        {Broker, "the next login will need an unknown extension of SCRAM"},
	"bad-proof":        {Broker, "it will prove the next login with a wrong signature"},
	"no-proof":         {Broker, "it will not prove the next login"},
	"server-error":     {Broker, "it will end the next login with an error of SCRAM"},
	"login-error":      {Broker, "the next answer of a login will have the error N"},
	"no-mechanism":     {Broker, "it will not offer the mechanism of the next login"},
	"in-vain":          {Broker, "logins succeed for FOR, and the first request ends the connection"},
	"behind-login":     {Broker, "it will say more than it should at the end of the next login"},
	"login-hangs-up":   {Broker, "it will end the connection in place of the next answer of a login"},
	"too-soon":         {Broker, "renewals of sessions are too soon for FOR"},
	"unoffered":        {Broker, "it lacks a mechanism for FOR"},
	"login-late":       {Broker, "the next answer of a login will take FOR"},
	"lifetime":         {Broker, "the session of the next login will have N ms"},

	"tls-fails":  {Network, "handshakes of TLS fail for FOR"},
	"tls-slow":   {Network, "handshakes of TLS take FOR within the next second"},
	"tls-alert":  {Network, "an alert of TLS ends the connection"},
	"unverified": {Network, "the peer is not verified for FOR"},
	"tls-port":   {Network, "the port expects TLS for FOR"},
}

// Of returns what is said of a step, by its verb and its arguments, and at which actor. ok is false if
// the verb has no sentence.
func Of(verb string, n int64, d time.Duration) (at, text string, ok bool) {
	said, ok := sentences[verb]
	return said.at, strings.NewReplacer("FOR", d.String(), "N", strconv.FormatInt(n, 10)).Replace(said.text), ok
}
