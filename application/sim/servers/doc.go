// Package servers has what model brokers need to be those of a release of Kafka, or other servers of
// its protocol: API tables, taken from domain/release, and what each does differently.
//
//	b := &model.Broker{World: w, APIs: servers.APIs(servers.PlaceOf("2.8"))}
//	servers.Become("kfake", b) // or one that is no broker of Apache Kafka
//
// A model broker of this package also has an API that no broker lists, [KeyEcho], which answers with
// the bytes of the request.
package servers
