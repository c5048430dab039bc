// Package model is a Kafka broker at the level of bytes, for package simulation: it reads frames
// and headers, answers ApiVersions and logins as brokers do, and everything else with handlers.
//
//	b := &model.Broker{World: w, APIs: model.Table(
//		model.API{Key: 3, Max: 12, FlexibleFrom: 9, Handle: metadata},
//	)}
//	n.SetSite("broker:9092", simulation.Site{Accept: b.Accept})
//
// Like a broker it answers the requests of a connection in order, closes a connection on which
// something arrives that it does not know, and does not send an answer to a Produce with acks 0.
//
// Whatever a broker that is broken, slow, old, or none at all would do differently is a change of
// a [Reply] before it is sent: see [Broker.Change].
//
// It does not know the messages of Kafka: bodies are bytes.
package model
