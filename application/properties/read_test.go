package properties

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"brokerconn/application/broker"
	"brokerconn/ports"
)

// Keys that Java and librdkafka share decide nothing: they are read as Java's, and mean the
// same in librdkafka if that takes them.
func TestSharedKeysMeanTheSame(t *testing.T) {
	dir := stores(t)
	values := map[string][]string{
		"bootstrap.servers":                                 {"a:1", "a,b", "x y"},
		"security.protocol":                                 {"PLAINTEXT", "SSL", "sasl_ssl", "TLS"},
		"client.dns.lookup":                                 {"use_all_dns_ips", "x"},
		"sasl.mechanism":                                    {"PLAIN", "GSSAPI", "x"},
		"ssl.endpoint.identification.algorithm":             {"https", "HTTPS", "none", "x"},
		"ssl.cipher.suites":                                 {"TLS_AES_128_GCM_SHA256", "TLS_X", "a;"},
		"connections.max.idle.ms":                           {"1", "500", "x", ""},
		"ssl.key.password":                                  {canary},
		"ssl.keystore.location":                             {dir + "/store.jks", dir + "/my store.p12"},
		"ssl.keystore.password":                             {canary},
		"sasl.oauthbearer.token.endpoint.url":               {"https://idp/", "x"},
		"sasl.oauthbearer.grant.type":                       {"client_credentials", "x"},
		"sasl.oauthbearer.scope":                            {"s"},
		"sasl.kerberos.service.name":                        {"k"},
		"sasl.oauthbearer.client.credentials.client.id":     {"i"},
		"sasl.oauthbearer.client.credentials.client.secret": {canary},
	}
	numbers := []string{"-1", "0", "1", "500", "2147483647", "2147483648", "x", ""}
	var shared []string
	for key := range index[Java] {
		if index[Librdkafka][key] != nil {
			shared = append(shared, key)
		}
	}
	if len(shared) < 20 {
		t.Errorf("only %d shared keys: %v", len(shared), shared)
	}
	rapid.Check(t, func(t *rapid.T) {
		pairs := map[string]string{}
		for _, key := range rapid.SliceOfDistinct(rapid.SampledFrom(shared), rapid.ID[string]).Draw(t, "keys") {
			from := values[key]
			if from == nil {
				from = numbers
			}
			pairs[key] = rapid.SampledFrom(from).Draw(t, key)
		}
		java, javaErr := Read(Java, Pairs(pairs))
		rdkafka, rdkafkaErr := Read(Librdkafka, Pairs(pairs))
		guessed, guessedErr := Read(Guess, Pairs(pairs))
		outside := slices.ContainsFunc(unjoined(rdkafkaErr), func(err error) bool { // of what librdkafka takes
			text := err.Error()
			return strings.Contains(text, "a whole number from") || strings.Contains(text, "is a JKS store")
		})
		if (javaErr == nil) != (guessedErr == nil) || javaErr == nil && rdkafkaErr != nil && !outside {
			t.Fatalf("java: %v\nlibrdkafka: %v\nguessed: %v", javaErr, rdkafkaErr, guessedErr)
		}
		if javaErr != nil || outside {
			return
		}
		if guessed.Dialect != Java {
			t.Errorf("guessed %v", guessed.Dialect)
		}
		rdkafka.Dialect = Java
		for _, s := range []*Settings{java, rdkafka, guessed} { // functions, which rendered calls
			s.TLS.KeyPassword, s.TLS.StorePassword = nil, nil
		}
		if !reflect.DeepEqual(java, rdkafka) || !reflect.DeepEqual(java, guessed) {
			t.Errorf("got %q of Java\n%q of librdkafka\n%q guessed, want the same", rendered(java), rendered(rdkafka),
				rendered(guessed))
		}
	})
}

func TestLaterSourcesWin(t *testing.T) {
	file := written(t, "", "metadata.broker.list=a", "socket.timeout.ms=10", "ssl.ca.location=/none", "linger.ms=5")
	flags := []Property{
		{Key: "bootstrap.servers", Value: ports.NewSecret("b:1"), Where: "-X"},
		{Key: "ssl.ca.location", Where: "-X"}, // taken back
	}
	s, err := Read(Guess, file, flags)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Servers) != 1 || s.Servers[0] != (Server{"b", 1}) || s.Connection.RequestTimeout != 10*time.Millisecond ||
		s.Dialect != Librdkafka {
		t.Errorf("got %+v, want the server and the timeout of the last source", s)
	}
	_, err = Read(Guess, file, append(flags, Property{Key: "host", Value: ports.NewSecret("c"), Where: "-X"}))
	wantProblem(t, err, "host", "mixed dialects")
}

func TestConfig(t *testing.T) {
	_, cfg := configured(t, Guess, "", "host=::1", "port=7", "client_id=c", "send_buffer_bytes=4096")
	if cfg.Host != "::1" || cfg.Port != 7 || cfg.ClientID != "c" || cfg.Transport == nil {
		t.Errorf("got %+v, want ::1, 7 and a transport", cfg)
	}
	if _, err := broker.NewPolled(cfg); err != nil {
		t.Errorf("got %v, want that broker accepts it", err)
	}
	if cfg, err := new(Settings).Config(); err != nil || cfg.Host != "" || cfg.Port != 0 {
		t.Errorf("without settings: got %+v and %v, want no host", cfg, err)
	}
}

func TestConfigReportsAllProblems(t *testing.T) {
	s := &Settings{Dialect: Librdkafka, Servers: []Server{{"a", 1}, {"b", 2}}, Security: SASLSSL,
		SASL: SASL{Mechanism: "OAUTHBEARER"}}
	_, err := s.Config()
	var wrong *Error
	if !errors.As(err, &wrong) {
		t.Fatal(err)
	}
	for _, word := range []string{"sasl.oauthbearer.token.endpoint.url: ", "sasl.oauthbearer.client.secret: ",
		"bootstrap.servers: 2 brokers: a:1, b:2"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("got %v, want %q in it", err, word)
		}
	}
	if cfg, err := (&Settings{Security: SASLSSL}).Config(); err == nil || !reflect.DeepEqual(cfg, broker.Config{}) {
		t.Errorf("got %+v and %v, want an error and no Config", cfg, err)
	}
}

// Package broker accepts every configuration that was read.
func TestNumbersThatBrokerTakes(t *testing.T) {
	eachName(connectionKeys, func(k *key, d Dialect, name string) {
		for _, n := range []int64{1, 1000, math.MaxInt32} {
			settings, err := Read(d, Pairs(map[string]string{name: fmt.Sprint(n)}))
			if err != nil {
				continue
			}
			cfg, err := settings.Config()
			if err == nil {
				_, err = broker.NewPolled(cfg)
			}
			if err != nil {
				t.Errorf("%s=%d: %v", name, n, err)
			}
		}
	})
}

// eachName calls f with every name of keys.
func eachName(keys []*key, f func(k *key, d Dialect, name string)) {
	for _, k := range keys {
		for d := firstDialect; d <= lastDialect; d++ {
			for _, name := range k.in(d) {
				f(k, d, name)
			}
		}
	}
}

func TestDialect(t *testing.T) {
	for d := Guess; d <= lastDialect; d++ {
		if got, err := ParseDialect(strings.ToUpper(d.String())); err != nil || got != d {
			t.Errorf("%v: %v %v", d, got, err)
		}
	}
	if d, err := ParseDialect(""); err != nil || d != Guess {
		t.Error(d, err)
	}
	if _, err := ParseDialect("python"); err == nil || !strings.Contains(err.Error(),
		"kafka-python, java, librdkafka") {
		t.Errorf("got %v, want the names of the dialects", err)
	}
}

// No irrelevant key is a key of a dialect, and errors name all of them.
func TestIrrelevantKeys(t *testing.T) {
	for key := range irrelevant {
		if len(dialectsOf(key)) > 0 {
			t.Errorf("%s: got dialects %v, want none", key, dialectsOf(key))
		}
	}
	named := func(_ *key, _ Dialect, name string) {
		if label(name) != name {
			t.Errorf("%s: got %s in errors, want the key", name, label(name))
		}
	}
	eachName(keys(), named)
	for key := range irrelevant {
		named(nil, Guess, key)
	}
}
