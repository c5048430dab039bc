package sim

import (
	"strconv"
	"strings"
)

// sentence is what a chart says of a fault, and where. N and FOR are the arguments of the step.
type sentence struct{ at, text string }

var sentences = map[string]sentence{
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
	"error":         {theBroker, "the next answer will have the error N"},
}

// sentenceOf returns what is said of a fault.
func sentenceOf(s Step) sentence {
	said, known := sentences[s.Verb]
	if !known {
		return sentence{theBroker, strings.TrimPrefix(s.String(), s.At.String()+" ")}
	}
	said.text = strings.NewReplacer("FOR", s.For.String(), "N", strconv.FormatInt(s.N, 10)).Replace(said.text)
	return said
}
