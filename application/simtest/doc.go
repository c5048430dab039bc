// Package simtest tests programs that use this library: each run is a small cluster of Kafka in a
// bubble of testing/synctest, in which time is virtual, the network is simulated, and faults come
// from a seed. Hours pass in milliseconds, and a seed that fails, fails again.
//
//	package orders_test
//
//	import (
//		"testing"
//		"time"
//
//		"github.com/twmb/franz-go/pkg/kmsg"
//
//		"brokerconn/application/broker"
//		"brokerconn/application/simtest"
//	)
//
//	func TestConnRecovers(t *testing.T) {
//		simtest.Run(t, simtest.Options{}, func(w *simtest.World) {
//			conn, err := broker.Dial(w.Context(), w.Config(0)) // to the first of three brokers
//			if err != nil {
//				w.Fatalf("dial: %v", err)
//			}
//			defer conn.Close()
//			w.Chaos(time.Minute) // of virtual time, with faults of every kind
//			w.Eventually(time.Minute, func() bool {
//				_, err := kmsg.NewPtrMetadataRequest().RequestWith(w.Context(), conn)
//				return err == nil
//			})
//		})
//	}
//
// Code over broker.Conn, which has goroutines, is started by [World.Go], and what it uses is closed by
// [World.Cleanup], when it has ended. Code over broker.Polled is a
// loop, and [World.Drive] is the owner of it: it calls a function that does what can be done now and
// returns the time of its next call at the latest.
//
//	simtest.Run(t, simtest.Options{Brokers: 3}, func(w *simtest.World) {
//		f := NewFinder("orders", w.Config(0), w.Config(1), w.Config(2)) // the code under test
//		w.Drive(f.Step)                                                 // Step(now time.Time) (next time.Time)
//		w.Chaos(time.Minute, simtest.Cut, simtest.Silent, simtest.Refuse, simtest.MoveLeaders)
//		w.Eventually(30*time.Second, func() bool { return f.Leader() == w.Leader("orders", 0) })
//	})
//
// # A run
//
// [Run] calls the function once for each seed, with a [World] of its own. What is used in it is made
// in it: a Conn, a channel or a context from outside does not work in a bubble. time.Now,
// time.Sleep, timers and contexts with a deadline are virtual. Real sockets, and t.Run, must not
// be used. The World takes the place of the test: w.Fatalf instead of t.Fatalf, so that a seed can
// be run again and shrunk.
//
// A goroutine that waits for a sync.Mutex holds up virtual time, as in every bubble: if the owner of
// the mutex waits for a response, neither goes on, and the seed fails after ten seconds of real
// time. In code that keeps a lock for so long a channel with room for one can be the lock.
//
// The brokers of a world are named by their index, 0 to Options.Brokers-1, which is also their
// node id. [World.Config] is complete: nothing of it has to be set, and all of it may be changed.
// Each topic that is asked for exists. Metadata, FindCoordinator, ListOffsets, Produce and Fetch do
// what they do in a cluster without groups and transactions; the other APIs of the release have a
// well-formed answer with nothing in it. [World.Handle] replaces any of them.
//
// [World.Chaos] makes faults happen for a time, drawn from the seed, and then heals all of them;
// which kinds there are and how frequent they are differs from seed to seed. [World.At] is one
// fault at one time, and [World.Inject] one that begins now, such as a broker that stays down.
// [World.Eventually], [World.Settles], [World.Never] and [World.Invariant] say what must hold.
// A panic, a goroutine that is left behind, a Conn that is not closed and a function that never
// returns fail the seed too. A panic in a goroutine that was started neither by World.Go nor by
// World.Drive ends the process, as in every Go program.
//
// A limit that is as long as a timeout of the code under test may hide a defect: after 30 s a request
// with the default broker.Config.RequestTimeout, of 30 s, gives up whatever it waited for. Set the
// timeout as the program does, and the limit of Eventually and Settles to what its users may expect.
//
// The functions that are given to Run, Drive, Eventually, Never and Invariant are never called at the
// same time, unless one of them waits for something. They need no lock for what they share, and
// the race detector agrees. The goroutines of Go need theirs.
//
// # TLS, logins, other servers
//
// With Options.TLS the brokers have crypto/tls's server, and World.Config package tls over the
// simulated network. [World.Authority] has signed their certificates, [World.Certificate] makes
// others, of another host or of a short life, and [World.ServeTLS] gives them to a broker, while the
// world goes on; [World.Transport] is the network for a transport of one's own:
//
//	cfg.Transport, err = tls.New(w.Transport(), tls.Options{CAPEM: w.Authority(), ServerName: "another"})
//
// With Options.Mechanisms the brokers want a login of [User], and Options.Session limits it.
// [World.SetPassword] changes what they accept, [World.Authenticator] is a login with another
// password, and [ExpireSessions] and [RefuseLogins] are faults.
//
// [World.Listen] puts a server of one's own in the place of the brokers' models. With kfake, which has
// groups and transactions:
//
//	cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.ListenFn(w.Listen))
//	...
//	defer cluster.Close()
//
// In a test that is not parallel, crypto/rand depends on the seed as well, by testing/cryptotest.
//
// # A failure
//
// A seed that fails is shrunk: faults are left out, made shorter and earlier, as long as it fails
// in the same way. The report has the line that reproduces it, that plan, a journal of what
// happened, with virtual times and the error codes of answers, and a chart. The plan is written to
// testdata/sim/TestName/seed.plan, a line for each fault, and later runs of the test replay it
// first: commit it as a regression test, or delete it.
//
// Flags of the test binary, with environment variables for go test ./...:
//
//	-sim.seed 31       SIM_SEED    run this seed only
//	-sim.seeds 5000    SIM_SEEDS   run so many, instead of Options.Seeds
//	-sim.time 10m      SIM_TIME    run new seeds for so long
//	-sim.plan FILE     SIM_PLAN    run this plan only
//
// # Determinism
//
// The world lets one thing happen at a time: a delivery, which is one whole frame, a fault, a step
// of a loop or the start of a goroutine, each when all goroutines are blocked. Each seed is run
// twice, and the bytes of each connection, either way, the states and the outcomes of requests are compared. A
// difference fails the seed: the code depends on something that is not in the world, such as the
// order of a map, math/rand, or which of two goroutines that are ready runs first. [World.Rand] is
// the randomness to use. In a test that is not parallel, Run sets runtime.GOMAXPROCS to 1 until it
// returns: goroutines that become ready at one instant run in the same order then, but for rare cases in
// which the garbage collector, or the race detector, changes it. Only application/sim promises the
// same bytes on every machine and with every release of Go: it runs without goroutines.
package simtest
