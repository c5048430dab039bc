package simtest_test

import (
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"brokerconn/adapters/netlink"
	"brokerconn/application/broker"
	"brokerconn/application/simtest"
)

// kfake has groups, which the brokers of a world lack. It makes ids of its own, so that two runs of
// a seed have other bytes: hence Once.
func TestMembersShareTheWork(t *testing.T) {
	o := simtest.Options{Once: true, TLS: true, Mechanisms: []string{"SCRAM-SHA-512"}, Seeds: 10}
	simtest.Run(t, o, func(w *simtest.World) {
		cluster := kfake.MustCluster(kfake.NumBrokers(3), kfake.ListenFn(w.Listen),
			kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", simtest.User, simtest.Password))
		defer cluster.Close()
		var members []*member
		for i := range 3 {
			conn, _ := broker.NewConn(w.Config(i))
			members = append(members, &member{group: "g", shares: 7, config: w.Config, any: conn})
			w.Go(func() { members[i].Run(w.Context()) })
		}
		w.Chaos(time.Minute, simtest.Cut, simtest.Reset, simtest.Silent, simtest.Refuse, simtest.Deaf)
		w.Eventually(2*time.Minute, func() bool {
			all := slices.Concat(members[0].Share(), members[1].Share(), members[2].Share())
			slices.Sort(all)
			return slices.Equal(all, []byte{0, 1, 2, 3, 4, 5, 6})
		})
	})
}

// kfake's own network works as well, without faults.
func TestVirtualNetworkOfKfake(t *testing.T) {
	simtest.Run(t, simtest.Options{Once: true, Seeds: 2}, func(w *simtest.World) {
		var network kfake.VirtualNetwork
		cluster := kfake.MustCluster(kfake.Ports(9092), kfake.ListenFn(network.Listen))
		defer cluster.Close()
		cfg := w.Config(0)
		cfg.Host, cfg.Transport = "localhost", &netlink.Transport{Dial: network.DialContext}
		conn, err := broker.Dial(w.Context(), cfg)
		if err != nil {
			w.Fatalf("dial: %v", err)
		}
		defer conn.Close()
		w.Sleep(time.Hour / 2) // idle connections are closed, and made again
		if !answers(w, conn) {
			w.Errorf("no answer after half an hour: %v", conn.LastError())
		}
	})
}
