// Package fakebroker has brokers and networks within the process, for the tests of
// application/broker and acceptance/lessons.
//
//	scripted  a broker over any net.Conn, with one function for its answers
//	hand      a broker on adapters/memory, which answers when the test says so
//	polled    a Polled with such a broker, and a fake clock
//	hosts     a host name with several addresses, on a network of pipes
//	peers     requests and answers by hand; a broker with a login
//	session   a broker with sessions, which checks the order of requests and logins
package fakebroker
