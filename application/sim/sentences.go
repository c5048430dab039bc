package sim

import (
	"strconv"
	"strings"
)

// sentence is what a chart says of a step, and at which actor. N and FOR are the arguments of the step.
type sentence struct{ at, text string }

var sentences = map[string]sentence{
	"close": {theOwner, "close, and connect again with the next request"},
	"drain": {theOwner, "close, once nothing is in flight"},
	"renew": {theOwner, "renew the session"},
	"check": {theOwner, "check the release within FOR"},
	"doze":  {theOwner, "receives nothing for FOR"},
	"swap":  {theOwner, "replace the authenticators"},

	"close-for-good": {theOwner, "close for good"},
	"drain-for-good": {theOwner, "close for good, once nothing is in flight"},
	"dial":           {theOwner, "make another connection"},

	"ask":      {theOwner, "ask for Metadata of a topic"},
	"withdraw": {theOwner, "give up a request that is in the queue"},
	"lose":     {theOwner, "close with a cause, and connect again with the next request"},

	"reset":        {theNetwork, "the connection is reset"},
	"fin":          {theNetwork, "the connection is closed"},
	"half-close":   {theNetwork, "nothing more is sent to the client, and its bytes are still read"},
	"silence":      {theNetwork, "silence: what is on the way is lost, and all that follows"},
	"forget":       {theNetwork, "the flow is forgotten: all that is sent is lost"},
	"forget-reset": {theNetwork, "the flow is forgotten: all that is sent is answered with a reset"},
	"refuse":       {theNetwork, "dials are refused for FOR"},
	"deaf":         {theNetwork, "dials have no answer for FOR"},
	"dead-end":     {theNetwork, "connections are accepted and closed at once for FOR"},
	"no-dns":       {theNetwork, "the name has no address for FOR"},
	"slow-dns":     {theNetwork, "lookups of the name take FOR"},

	"restart": {theBroker, "it is killed, and away for FOR"},
	"stop":    {theBroker, "it ends, and is away for FOR"},
	"slow":    {theBroker, "each answer of the next second takes FOR"},

	"drop":          {theBroker, "it will not send the next answer"},
	"late":          {theBroker, "the next answer will take FOR"},
	"wrong-id":      {theBroker, "the next answer will have an id that is N too high"},
	"twice":         {theBroker, "it will send the next answer twice"},
	"overtake":      {theBroker, "the next answer will overtake others"},
	"cut":           {theBroker, "it will send N bytes of the next answer, and end the connection"},
	"size":          {theBroker, "the next answer will have the size N"},
	"negative-size": {theBroker, "the next answer will have the size -N"},
	"short":         {theBroker, "the next answer will lack N bytes"},
	"long":          {theBroker, "the next answer will have N bytes more"},
	"answer-all":    {theBroker, "the next answer will be sent, even if none is expected"},
	"http":          {theBroker, "the next answer will be one of HTTP"},
	"alert":         {theBroker, "the next answer will be an alert of TLS"},
	"then-close":    {theBroker, "it will end the connection behind the next answer"},
	"then-reset":    {theBroker, "it will reset the connection instead of the next answer"},
	"throttle":      {theBroker, "the next answer that can will throttle the client for FOR"},
	"gap":           {theOwner, "the process is stopped for FOR"},
	"upgrade":       {theBroker, "it becomes one of N releases later, and is away for FOR"},
	"downgrade":     {theBroker, "it becomes one of N releases before, and is away for FOR"},
	"impostor":      {theBroker, "another broker has its address for FOR"},
	"limit-ip":      {theBroker, "it closes new connections without a byte for FOR"},
	"limit-rate":    {theBroker, "it holds new connections for a second and resets them, for FOR"},
	"limit-late":    {theBroker, "it serves new connections late for FOR"},
	"limit-size":    {theBroker, "it closes on requests of more than N bytes for FOR"},
	"proxy-alone":   {theBroker, "it is a proxy without a broker for FOR"},
	"dead-reset":    {theNetwork, "connections are accepted and reset at once for FOR"},

	"error": {theBroker, "the next answer will have the error N"},

	"deny":             {theBroker, "logins are refused for FOR"},
	"no-token":         {theOwner, "has no token for FOR"},
	"expired-token":    {theOwner, "has a token that has expired, for FOR"},
	"refused-token":    {theBroker, "tokens are refused for FOR"},
	"slow-credentials": {theOwner, "credentials take FOR within the next second"},
	"weak-iterations":  {theBroker, "the next login will have too few iterations of SCRAM"},
	"huge-iterations":  {theBroker, "the next login will have too many iterations of SCRAM"},
	"bad-nonce":        {theBroker, "the next login will have the nonce of another one"},
	"extension":        {theBroker, "the next login will need an unknown extension of SCRAM"},
	"bad-proof":        {theBroker, "it will prove the next login with a wrong signature"},
	"no-proof":         {theBroker, "it will not prove the next login"},
	"server-error":     {theBroker, "it will end the next login with an error of SCRAM"},
	"login-error":      {theBroker, "the next answer of a login will have the error N"},
	"no-mechanism":     {theBroker, "it will not offer the mechanism of the next login"},
	"in-vain":          {theBroker, "logins succeed for FOR, and the first request ends the connection"},
	"behind-login":     {theBroker, "it will say more than it should at the end of the next login"},
	"login-hangs-up":   {theBroker, "it will end the connection in place of the next answer of a login"},
	"too-soon":         {theBroker, "renewals of sessions are too soon for FOR"},
	"unoffered":        {theBroker, "it lacks a mechanism for FOR"},
	"login-late":       {theBroker, "the next answer of a login will take FOR"},
	"lifetime":         {theBroker, "the session of the next login will have N ms"},

	"tls-fails":  {theNetwork, "handshakes of TLS fail for FOR"},
	"tls-slow":   {theNetwork, "handshakes of TLS take FOR within the next second"},
	"tls-alert":  {theNetwork, "an alert of TLS ends the connection"},
	"unverified": {theNetwork, "the peer is not verified for FOR"},
	"tls-port":   {theNetwork, "the port expects TLS for FOR"},
}

// sentenceOf returns what is said of a step.
func sentenceOf(s Step) sentence {
	said, known := sentences[s.Verb]
	if !known {
		return sentence{theBroker, strings.TrimPrefix(s.String(), s.At.String()+" ")}
	}
	said.text = strings.NewReplacer("FOR", s.For.String(), "N", strconv.FormatInt(s.N, 10)).Replace(said.text)
	return said
}
