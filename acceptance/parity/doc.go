// Package parity compares broker.Polled with its model, the BrokerConnection of
// kafka-python, in the versions 2.0.2 and 2.3.3 from PyPI.
//
// Each script, a file of testdata/scenarios, is played three times, with one client each,
// against a broker that follows the script. A trace in one vocabulary records the run:
// states, callbacks in order, every byte that the broker received, answers, failed requests
// with the kind of error, pauses and waits on a fake clock. Then the traces are compared,
// line by line.
//
//	scenario, parse  the syntax of a script
//	run              plays a script: the client and the broker take turns
//	broker, answers  the broker: real listeners on loopback
//	client           the interface of the three clients
//	polled           ours, on the default transport; polled_net, polled_wait
//	python           kafka-python in a process of its own, which testdata/driver.py drives;
//	                 acceptance/kafkapython has installed it
//	vocabulary       our states, errors and answers in the words of the traces
//	compare          the differences, which the scenario or a rule must list
//	deviations       the list of the deliberate differences, with reasons
//	report           that list, with the number of scenarios for each
//
// A client does nothing while the broker acts, and all bytes sent have arrived before the
// next step: a trace is the same every time.
//
// The tests that need Python carry the build tag parity, and run by
//
//	make parity
//
// It needs Python 3.8 or newer with venv, and PyPI the first time; without, it is
// skipped under a banner, or fails where the environment says PARITY=required.
// The other tests, those of Polled included, need Go alone.
package parity
