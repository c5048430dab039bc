// Package simulation is a world in which time, names and networks are values. A program over the
// ports runs in it on one goroutine, as fast as the processor allows, and the same seed gives
// the same bytes at the same instants on every machine.
//
//	w := simulation.NewWorld(1)
//	n := simulation.NewNetwork(w)
//	n.SetSite("broker:9092", simulation.Site{Path: simulation.Path{Latency: time.Millisecond}})
//	link := n.Open(ports.Endpoint{Network: "simulated", Address: "broker:9092"})
//	w.Advance(2 * time.Millisecond) // a round trip
//	peer := n.Accept("broker:9092") // the broker's end of that link
//
// A [World] has virtual time and a queue of events. Nothing happens by itself: [World.Step] takes
// the clock to the next event and lets it happen. Events of one instant happen in the order in
// which they were scheduled. The World is the [ports.Clock], and the [ports.Selector], of the
// program under test.
//
// A [Network] is its [ports.Transport]. What a lookup of a name and a dial of an address meet is
// given by a [Name] and a [Site], and how bytes travel by a [Path]; a [Peer] is the other end of
// a link. The network does what TCP can do and nothing else: bytes may be late, cut at any
// place, and lost with all that follow; they are never reordered, changed or doubled.
//
// A program with goroutines, such as a server of crypto/tls, uses the network by
// [Network.DialContext] and [Network.Listen], which have package net's types. Their calls wait for
// what another goroutine makes happen with Step; in a bubble of testing/synctest, time is virtual.
//
// Randomness comes from a [Stream], one for each site and each way of a link, so that a draw more at one
// site changes nothing at another. All arithmetic is of integers.
//
// One mutex guards a World and what lives in it, but for that of [NewUnsharedWorld], which one
// goroutine uses. Functions of the user are called without it.
package simulation
