package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"brokerconn/acceptance"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/adapters/tcp"
	"brokerconn/adapters/tls"
	"brokerconn/application/broker"
	"brokerconn/application/cli/probe"
	"brokerconn/ports"
)

const kroxylicious = "0.12.0"

var (
	//go:embed testdata/Proxy.java
	proxyProgram []byte
	//go:embed testdata/kroxylicious-0.12.0.sha256
	proxySums string
)

// startKroxylicious starts Kroxylicious before a real broker, with a port for the cluster and
// one for each node.
func startKroxylicious(ctx context.Context) (*peer, error) {
	return startProxy(ctx, "Kroxylicious "+kroxylicious, func(p *peer, b *acceptance.Broker) (gateway, error) {
		p.before = func(ctx context.Context) error {
			if err := says(ctx, "taken for missing: 76 (v1 to v0)", "apis", p.address); err != nil {
				return err
			}
			return withoutBroker(ctx, p, b)
		}
		p.remark += "; ranges upside down are reported, and a broker that is down"
		return gateway{"portIdentifiesNode": gateway{"bootstrapAddress": p.address}}, nil
	})
}

// routed is the server name that the other gateway knows.
const routed = "localhost"

// startKroxyliciousSNI starts it with one port for all nodes, which the server name selects.
func startKroxyliciousSNI(ctx context.Context) (*peer, error) {
	name := "Kroxylicious " + kroxylicious + " by SNI"
	return startProxy(ctx, name, func(p *peer, b *acceptance.Broker) (gateway, error) {
		ca := b.ClientFiles().CA
		secure, err := tls.New(tcp.New(tcp.Options{}), tls.Options{CAFile: ca, ServerName: routed})
		if err != nil {
			return nil, err
		}
		p.transport = secure
		p.before = func(ctx context.Context) error { return unrouted(ctx, p.address, ca) }
		p.remark += "; an unknown server name and a missing one are named"
		store, password := b.KeyStore()
		secret := gateway{"password": password}
		_, port, _ := strings.Cut(p.address, ":")
		return gateway{
			"sniHostIdentifiesNode": gateway{"bootstrapAddress": routed + ":" + port,
				"advertisedBrokerAddressPattern": "node-$(nodeId)." + routed},
			"tls": gateway{"key": gateway{"storeFile": store, "storeType": "PKCS12", "storePassword": secret,
				"keyPassword": secret}},
		}, nil
	})
}

// gateway is a part of the proxy's configuration.
type gateway map[string]any

// startProxy starts a broker with logins by SCRAM, which the proxy passes through, and the
// proxy. A restart of the proxy ends its connections. Its ports cannot be bound to loopback.
func startProxy(ctx context.Context, name string, configure func(*peer, *acceptance.Broker) (gateway, error)) (
	_ *peer, err error) {

	java, classpath, err := javaWith(ctx, "kroxylicious-"+kroxylicious, proxySums,
		"io.kroxylicious:kroxylicious-runtime:"+kroxylicious)
	if err != nil {
		return nil, err
	}
	login, err := scram.New(scram.SHA256, scram.Options{Username: acceptance.ScramUser,
		Password: ports.NewSecret(acceptance.ScramPassword)})
	if err != nil {
		return nil, err
	}
	b, err := acceptance.Start(ctx, acceptance.Config{
		Listeners: []acceptance.Listener{acceptance.SASLPlaintext, acceptance.SSL}})
	if err != nil {
		return nil, err
	}
	stopProxy := func() {}
	p := &peer{name: name, login: login, remark: "before Kafka " + b.Version(),
		ask: func() ports.Message { return kmsg.NewPtrMetadataRequest() },
		stop: func() {
			stopProxy()
			b.Close()
		}}
	defer func() {
		if err != nil {
			p.stop()
		}
	}()
	first, err := freePorts(4) // of the cluster, and of three nodes
	if err != nil {
		return nil, err
	}
	p.address = fmt.Sprintf("127.0.0.1:%d", first)
	entry, err := configure(p, b)
	if err != nil {
		return nil, err
	}
	entry["name"] = "default"
	config, err := json.Marshal(gateway{"virtualClusters": []gateway{{"name": "odd", "gateways": []gateway{entry},
		"targetCluster": gateway{"bootstrapServers": b.AddrOf(acceptance.SASLPlaintext)}}}}) // JSON is YAML
	program, file := filepath.Join(b.Dir(), "Proxy.java"), filepath.Join(b.Dir(), "proxy.yaml")
	err = errors.Join(err, os.WriteFile(program, proxyProgram, 0o600), os.WriteFile(file, config, 0o600))
	if err != nil {
		return nil, err
	}
	start := func() error {
		proxy, err := startChild(exec.CommandContext(ctx, java, "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
			"-Djava.io.tmpdir="+filepath.Join(b.Dir(), "tmp"), "-cp", classpath, program, file))
		if err != nil {
			return err
		}
		stopProxy = proxy.kill
		_, err = proxy.next()
		return err
	}
	p.drop = func() error {
		stopProxy()
		return start()
	}
	return p, start()
}

// javaWith returns the java command and a class path of Maven Central.
func javaWith(ctx context.Context, name, sums, artifact string) (java, classpath string, err error) {
	if err := acceptance.Requirements(); err != nil {
		return "", "", err
	}
	if java, err = acceptance.FindJava(); err != nil {
		return "", "", err
	}
	classpath, err = acceptance.FetchArtifacts(ctx, name, sums, artifact)
	return java, classpath, err
}

// unrouted asks the tool for what it says where the gateway is silent.
func unrouted(ctx context.Context, address, ca string) error {
	args := []string{"tls", address, "--timeout", "3s", "-X", "security.protocol=SSL",
		"-X", "ssl.truststore.type=PEM", "-X", "ssl.truststore.location=" + ca}
	if err := says(ctx, `no server name was sent, since "127.0.0.1" is an address`, args...); err != nil {
		return err
	}
	return says(ctx, `the server name "elsewhere.test" was sent`, append(args, "--server-name", "elsewhere.test")...)
}

// withoutBroker dials while the broker behind the proxy is down: the proxy answers ApiVersions
// with UNKNOWN_SERVER_ERROR and closes.
func withoutBroker(ctx context.Context, p *peer, b *acceptance.Broker) error {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	if err := b.Kill(); err != nil {
		return err
	}
	dialing, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c, err := broker.Dial(dialing, cfg)
	if err == nil {
		c.Close()
	}
	e, ok := errors.AsType[*broker.Error](err)
	if !ok || !strings.Contains(e.Error(), "UNKNOWN_SERVER_ERROR") || !broker.Retriable(err) ||
		!strings.Contains(e.Hint, "no broker behind it") {
		return fmt.Errorf("no broker behind the proxy: got %v, want UNKNOWN_SERVER_ERROR, retriable, and its hint", err)
	}
	return b.Restart(ctx)
}

// says runs a command of the tool, which must print a text.
func says(ctx context.Context, want string, args ...string) error {
	var said bytes.Buffer
	probe.Run(ctx, args, nil, &said, &said)
	if !strings.Contains(said.String(), want) {
		return fmt.Errorf("kafkaprobe %s: got %q, want %q in it", strings.Join(args, " "), &said, want)
	}
	return nil
}
