// Package clientkeys asks the clients whose keys package application/properties reads for
// their keys and for what they make of a value: kafka-clients by its ConfigDefs, librdkafka
// by its table of properties, kafka-python by its DEFAULT_CONFIGs and its command line.
//
// Each has a program in testdata. What they print is committed in
// application/properties/testdata/clients, where the tests of that package compare it with
// what they read. The test here, of make acceptance, compares it with the clients:
//
//	go test -tags acceptance ./acceptance/clientkeys -update
//
// writes it, and fetches the jars (Maven) and the wheels (pip).
package clientkeys
