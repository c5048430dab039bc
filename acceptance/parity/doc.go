// Package parity holds broker.Polled against what it was made after: the
// BrokerConnection of kafka-python, in the versions 2.0.2 and 2.3.3 from PyPI.
//
// One script, a file of testdata/scenarios each, is played three times to one
// broker that does what the script says. What happened is written down in one
// vocabulary: states, callbacks in order, every byte that the broker saw, answers,
// which requests failed with which kind of error, pauses and waits on a clock that
// is moved. Then the traces are compared, line by line.
//
//	scenario, parse  what a script may say
//	run              plays one: the client and the broker take turns
//	broker, answers  the broker: real listeners on loopback
//	client           one of the three, as the script sees it
//	polled           ours, on the default transport; polled_net, polled_wait
//	python           kafka-python in a process of its own, which testdata/driver.py drives;
//	                 acceptance/kafkapython has installed it
//	vocabulary       our states, errors and answers in the words of the traces
//	compare          what differs, and whether the scenario or a rule lists it
//	deviations       the list of what differs on purpose, and why
//	report           that list, with what was seen
//
// A client does nothing while the broker acts, and what was
// sent has arrived before the next step: a trace is the same every time.
//
// The tests that need Python carry the build tag parity, and run by
//
//	make parity
//
// It needs Python 3.8 or newer with venv, and PyPI the first time; without, it is
// skipped under a banner, or fails where the environment says PARITY=required.
// The rest, all of our own side included, is tested everywhere.
package parity
