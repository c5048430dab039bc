//go:build acceptance

package clientkeys

import (
	"bytes"
	"cmp"
	"context"
	"encoding/pem"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brokerconn/acceptance"
	"brokerconn/acceptance/fakebroker"
	"brokerconn/acceptance/kafkapython"
	"brokerconn/acceptance/need"
)

var update = flag.Bool("update", false, "write the lists of application/properties/testdata/clients")

// The releases of the clients. The keys of Java are those of all its releases, with the
// default of the last one.
var (
	javaReleases = []string{"4.1.2", "4.2.1", "4.3.1", acceptance.Newest}

	lastWithZooKeeper = "3.9.2"

	confluentKafka = kafkapython.ConfluentKafka
	kafkaPython    = "3.0.12"
)

const lists = "../../application/properties/testdata/clients"

// command runs a program of a client.
type command func(input string, args ...string) string

func TestListsAreTheClients(t *testing.T) {
	tools := need.Extra{Name: "Java 17, Maven and Python 3.8", Variable: "ACCEPTANCE",
		Untested: "The lists of keys are not compared with the clients."}
	python, missing := kafkapython.Interpreters(t.Context(), kafkaPython)
	librdkafka, without := kafkapython.Librdkafka(t.Context())
	tools.Test(t, cmp.Or(acceptance.Requirements(), missing, without))
	ctx := t.Context()
	java := map[string]string{}
	var newest command
	brokers := map[string]string{}
	for _, release := range slices.Concat([]string{lastWithZooKeeper}, javaReleases) {
		classpath, err := acceptance.Fetch(ctx, release)
		fakebroker.Must(t, err)
		newest = program(t, ctx, "java", "-cp", classpath, "testdata/Keys.java")
		maps.Copy(brokers, byName(newest("", "broker")))
		if release != lastWithZooKeeper {
			maps.Copy(java, byName(newest("")))
		}
	}
	check(t, "../../broker_keys.txt", "# The keys of brokers that kafka-clients does not have, of Kafka "+
		lastWithZooKeeper+", "+strings.Join(javaReleases, ", ")+"; made by acceptance/clientkeys.\n"+
		strings.Join(slices.Sorted(maps.Keys(brokers)), "\n")+"\n")
	c := program(t, ctx, librdkafka, "testdata/librdkafka.py")
	kafkaPythons := program(t, ctx, python[kafkaPython], "testdata/kafka_python.py")

	check(t, "../../client_ranges.txt", "# The least and the greatest number that a client takes, of kafka-clients "+
		acceptance.Newest+" and of librdkafka of confluent-kafka "+confluentKafka+
		"; made by acceptance/clientkeys.\n"+ranges("java", newest)+ranges("librdkafka", c))
	check(t, "java-jaas.txt", "# What kafka-clients "+acceptance.Newest+
		" makes of sasl.jaas.config: value, options.\n"+newest(jaas(), "jaas"))
	compare(t, "java", "kafka-clients "+strings.Join(javaReleases, ", "), java, newest)
	compare(t, "librdkafka", "librdkafka of confluent-kafka "+confluentKafka, byName(c("")), c)
	compare(t, "kafka-python", "kafka-python "+kafkaPython, byName(kafkaPythons("")), kafkaPythons)
}

// program returns a command that runs to its end.
func program(t *testing.T, ctx context.Context, name string, args ...string) command {
	return func(input string, more ...string) string {
		t.Helper()
		cmd := exec.CommandContext(ctx, name, slices.Concat(args, more)...)
		var stderr bytes.Buffer
		cmd.Stdin, cmd.Stderr = strings.NewReader(input), &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, args[len(args)-1], err, stderr.String())
		}
		return string(out)
	}
}

// byName returns lines by their first word.
func byName(lines string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(lines) {
		name, _, _ := strings.Cut(line, "\t")
		all[strings.TrimSpace(name)] = line
	}
	return all
}

// compare checks or writes the keys of a client, and what it makes of values.
func compare(t *testing.T, client, source string, keys map[string]string, ask command) {
	t.Helper()
	var text, pairs strings.Builder
	for _, name := range slices.Sorted(maps.Keys(keys)) {
		text.WriteString(keys[name])
		words := strings.Split(strings.TrimSuffix(keys[name], "\n"), "\t")
		all := values(name, words[1], words[2])
		if name == "ssl.ca.pem" || name == "ssl.certificate.pem" {
			all = append(all, onePEM(t))
		}
		for _, value := range all {
			fmt.Fprintf(&pairs, "%s\t%s\n", name, value)
		}
	}
	check(t, client+"-keys.txt", "# The keys of "+source+": name, type, default.\n"+text.String())
	check(t, client+"-values.txt", "# What "+source+" makes of values: name, value, result.\n"+
		ask(pairs.String(), "values"))
}

func check(t *testing.T, name, want string) {
	t.Helper()
	name = filepath.Join(lists, name)
	if *update {
		fakebroker.Must(t, os.WriteFile(name, []byte(want), 0o644))
		return
	}
	got, err := os.ReadFile(name)
	fakebroker.Must(t, err)
	if string(got) != want {
		t.Errorf("%s: got another text than the client prints, want that: run this test with -update", name)
	}
}

// jaas returns values of sasl.jaas.config, a line each.
func jaas() string {
	lines := []string{"1.C required;", "C 1;", "C required 1=x;", "C required -a=x;", "C required .a=x;",
		"C required a-b=x;", "$C required;", "-C required;", "C required x=y 5;", "C required a=b; ;",
		"C required @=x;", `C required "a"=x;`, `C "required";`, `"C" required;`, "C required a = \"b\" ;"}
	for value := range strings.FieldsSeq("4711 1abc 0 -x x- - -1 -1a .5 . ..a .a a.b a1 _x $x x$ é é1 中 😀 " +
		"a/b /a a@b a+b " +
		`a,b a:b a#b a!b a%b a~b a{b} (a) a\b a=b "1" '1' a'b' a"b" "a"b=c "\1011" "a b" "a@b;" 1e5 +1 1-2`) {
		lines = append(lines, "C required x="+value+";")
	}
	return strings.Join(lines, "\n") + "\n"
}

// ranges returns those of a client's numbers of a connection.
func ranges(client string, ask command) string {
	var text strings.Builder
	for line := range strings.Lines(ask("", "ranges")) {
		if ofConnection(line) {
			text.WriteString(client + "\t" + line)
		}
	}
	return text.String()
}

// onePEM is a certificate as one line of a file.
func onePEM(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../field/testdata/brainpool.pem")
	fakebroker.Must(t, err)
	block, _ := pem.Decode(data)
	return strings.ReplaceAll(string(pem.EncodeToMemory(block)), "\n", `\n`)
}

// connection are the beginnings of the keys of a connection.
var connection = []string{"ssl", "sasl", "security", "enable.s", "https", "api", "broker.", "client", "connections",
	"reconnect", "request.timeout", "request_timeout", "max.in", "max_in", "receive", "send", "socket."}

func ofConnection(name string) bool {
	return slices.ContainsFunc(connection, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// values are those that people write, and clients read in different ways.
func values(name, kind, standard string) []string {
	if !ofConnection(name) || kind == "see dedicated API" || kind == "object" {
		return nil
	}
	all := []string{"", "none", "null", "None"}
	switch strings.ToLower(kind) {
	case "boolean", "bool":
		all = append(all, "true", "True", "TRUE", "t", "T", "1", "yes", "on", "false", "False", "f", "F", "0", "no",
			"off", "2")
	case "integer", "int", "long", "short":
		all = append(all, "1000", "+1000", "01000", "0x1000", "1000.0", "1e3", "1_000", "-1", "0", "1s")
		if strings.Contains(name, "idle") {
			all = append(all, "9223372036854775807")
		}
	default:
		all = append(all, "x", strings.ToUpper(standard), strings.ToLower(standard), cmp.Or(standard, "y")+"x")
	}
	slices.Sort(all)
	return slices.Compact(all)
}
