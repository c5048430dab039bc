package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime/debug"
	"strconv"
	"sync"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/adapters/sasl/plain"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/ports"
)

const (
	user     = "odd"
	password = "odd-canary"
)

// startKfake starts franz-go's fake cluster with one broker and SCRAM.
func startKfake(context.Context) (*peer, error) {
	login, err := scram.New(scram.SHA256, scram.Options{Username: user, Password: ports.NewSecret(password)})
	if err != nil {
		return nil, err
	}
	p := &peer{name: "kfake " + release("github.com/twmb/franz-go/pkg/kfake"), login: login,
		ask: func() ports.Message { return kmsg.NewPtrMetadataRequest() }}
	var cluster *kfake.Cluster
	start := func(port int) (err error) {
		cluster, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port), kfake.SeedTopics(1, topic),
			kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", user, password))
		return err
	}
	if err := start(0); err != nil {
		return nil, err
	}
	p.address = cluster.ListenAddrs()[0]
	p.drop = func() error {
		cluster.Close()
		port, err := portOf(p.address)
		if err != nil {
			return err
		}
		return start(port)
	}
	p.stop = func() { cluster.Close() }
	return p, nil
}

// startSarama starts sarama's MockBroker with PLAIN, which accepts any password.
func startSarama(context.Context) (*peer, error) {
	login, err := plain.New(plain.Options{Username: user, Password: ports.NewSecret(password)})
	if err != nil {
		return nil, err
	}
	p := &peer{name: "MockBroker of sarama " + release("github.com/IBM/sarama"), login: login,
		ask: func() ports.Message { return kmsg.NewPtrFetchRequest() }}
	r := &reporter{}
	var mock *sarama.MockBroker
	start := func(address string) error {
		if mock = sarama.NewMockBrokerAddr(r, 1, address); r.failed() != nil {
			return r.failed()
		}
		mock.SetHandlerByMap(map[string]sarama.MockResponse{
			"ApiVersionsRequest": sarama.NewMockApiVersionsResponse(r).SetApiKeys([]sarama.ApiVersionsResponseKey{
				{ApiKey: 0, MinVersion: 5, MaxVersion: 8},
				{ApiKey: 1, MinVersion: 7, MaxVersion: 11},
				{ApiKey: 17, MinVersion: 0, MaxVersion: 1},
				{ApiKey: 18, MinVersion: 0, MaxVersion: 3},
				{ApiKey: 36, MinVersion: 0, MaxVersion: 1},
			}),
			"SaslHandshakeRequest":    sarama.NewMockSaslHandshakeResponse(r).SetEnabledMechanisms([]string{"PLAIN"}),
			"SaslAuthenticateRequest": sarama.NewMockSaslAuthenticateResponse(r),
			"ProduceRequest":          sarama.NewMockProduceResponse(r),
			"FetchRequest":            sarama.NewMockFetchResponse(r, 1),
		})
		return nil
	}
	if err := start("127.0.0.1:0"); err != nil {
		return nil, err
	}
	p.address = mock.Addr()
	p.drop = func() error {
		mock.Close()
		return start(p.address)
	}
	p.stop = func() { mock.Close() }
	return p, nil
}

// reporter keeps the first failure of a MockBroker, which is made for tests.
type reporter struct {
	mu    sync.Mutex
	first error
}

func (r *reporter) failed() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.first
}

func (r *reporter) Error(args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.first == nil {
		r.first = errors.New(fmt.Sprint(args...))
	}
}

func (r *reporter) Errorf(format string, args ...any) { r.Error(fmt.Sprintf(format, args...)) }
func (r *reporter) Fatal(args ...any)                 { r.Error(args...) }
func (r *reporter) Fatalf(format string, args ...any) { r.Error(fmt.Sprintf(format, args...)) }
func (r *reporter) Helper()                           {}

func portOf(address string) (int, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(port)
}

// release returns the version of a module of this program.
func release(module string) string {
	info, _ := debug.ReadBuildInfo()
	for _, m := range info.Deps {
		if m.Path == module {
			return m.Version
		}
	}
	return "of unknown version"
}
