package properties

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"brokerconn/adapters/metrics/sensors"
	"brokerconn/adapters/sasl/gssapi"
	"brokerconn/adapters/sasl/scram"
	"brokerconn/adapters/tcp"
	"brokerconn/adapters/tls"
	"brokerconn/application/broker"
)

// The surface of kafka-python's BrokerConnection and where it is here, as two tables, and
// the names of all keys in the three dialects. They are made of the keys and of the rows of
// the fields that these set, and go into the README and this package's documentation by
// go test ./application/properties -run Surface -update. The tests check that nothing is
// missing and that each field and method exists.

var update = flag.Bool("update", false, "write the tables into README.md and doc.go")

// surface has for each key how it deviates, and where else a program sets it.
var surface = []surfaceRow{
	{"host", "had no default", ""},
	{"port", "had no default", ""},
	{"afi", "-", ""},
	{"client_id", "at most 249 bytes", ""},
	{"reconnect_backoff_ms", "counted from the failure, not from the attempt; at least 1 ms", ""},
	{"reconnect_backoff_max_ms", "rejected if less than the former, which meant no growth", ""},
	{"request_timeout_ms", "setup has its own, Config.SetupTimeout; throttled time is not counted",
		"WithRequestTimeout, WithTimeout"},
	{"max_in_flight_requests_per_connection", "Conn.Request waits in a queue instead of failing", ""},
	{"receive_buffer_bytes", "does not leak into other connections", ""},
	{"send_buffer_bytes", "does not leak into other connections", ""},
	{"socket_options", "added to TCP_NODELAY, not in its place", ""},
	{"security_protocol", "keys of a protection that it does not give are rejected", ""},
	{"ssl_context", "in Go only", ""},
	{"ssl_check_hostname", "the field is the opposite", ""},
	{"ssl_cafile", "-", ""},
	{"ssl_certfile", "rejected without a key, in it or in ssl_keyfile; kafka-python 2 ignores both", ""},
	{"ssl_keyfile", "rejected without a certificate; kafka-python ignores both", ""},
	{"ssl_password", "as text; in Go a function; rejected without a key", ""},
	{"ssl_crlfile", "DER as well", ""},
	{"ssl_ciphers", "those of TLS 1.3 cannot be chosen", ""},
	{"api_version", "any release, patch numbers too; the default was (0, 8, 2)", ""},
	{"api_version_auto_timeout_ms", "for each connection, not for a constructor", ""},
	{"selector", "in Go only; a port, for Polled", ""},
	{"state_change_callback", "in Go only; it is called with from, to, address and error", ""},
	{"metrics", "in Go only; sensors.Registry is kafka-python's", ""},
	{"metric_group_prefix", "-", "sensors.New"},
	{"sasl_mechanism", "-", ""},
	{"sasl_plain_username", "-", ""},
	{"sasl_plain_password", "printed redacted", ""},
	{"sasl_kerberos_service_name", "-", ""},
	{"sasl_kerberos_domain_name", "-", ""},
	{"sasl_oauth_token_provider", "in Go only", ""},
}

type surfaceRow struct{ key, deviation, also string }

// place returns where a program sets a key, and the default of it.
func place(k *key) (fields []string, standard string) {
	for to := range strings.FieldsSeq(k.to) {
		fields = append(fields, strings.TrimPrefix(to, "Config.Hooks."))
	}
	if k.object != "" && strings.HasPrefix(k.to, "Config.Hooks.") {
		return []string{strings.TrimPrefix(k.to, "Config.")}, "none"
	}
	switch field, row := new(Settings).field(strings.Fields(k.to)[0]); {
	case k.not:
		standard = "true"
	case row != nil:
		standard = row.Text()
	case field.Type() == reflect.TypeFor[Protocol]():
		standard = Plaintext.String()
	default:
		standard = "none"
	}
	return fields, standard
}

// methods says where each method is.
var methods = []struct{ method, polled, conn, deviation string }{
	{"blacked_out", "Polled.BlackedOut", "Stats.BackoffUntil", "the pause is counted from the failure"},
	{"can_send_more", "Polled.CanSendMore", "Stats.InFlight", "-"},
	{"check_version", "Polled.CheckVersion", "Conn.CheckVersion", "a Verdict with its evidence; Low.Tuple() is " +
		"the tuple; silence is never taken for an answer"},
	{"close", "Polled.Close", "Conn.Close, Conn.Abort", "Conn's are final; without an error the backoff does not " +
		"grow, and requests fail with ErrClosed"},
	{"connect", "Polled.Connect", "Conn.Connect", "Conn's waits, for as long as its context"},
	{"connected", "Polled.Connected", "Conn.State", "-"},
	{"connecting", "Polled.Connecting", "Conn.State", "-"},
	{"connection_delay", "Polled.ConnectionDelay", "Stats.BackoffUntil",
		"\"forever\" is a second result, not a large number"},
	{"disconnected", "Polled.Disconnected", "Conn.State", "-"},
	{"recv", "Polled.Recv", "Future.Wait", "bytes that come with the end are kept; Futures are done when returned"},
	{"send", "Polled.Send", "Conn.Request, Conn.Send", "-"},
	{"send_pending_requests", "Polled.SendPending", "-", "a Conn writes by itself"},
	{"send_pending_requests_v2", "Polled.SendPendingV2", "-", "true only if nothing at all is left; a Conn writes " +
		"by itself"},
}

// placed are the types that a place is a field or method of.
var placed = map[string]reflect.Type{
	"Config":              reflect.TypeFor[*broker.Config](),
	"Hooks":               reflect.TypeFor[*broker.Hooks](),
	"Conn":                reflect.TypeFor[*broker.Conn](),
	"Polled":              reflect.TypeFor[*broker.Polled](),
	"Stats":               reflect.TypeFor[*broker.Stats](),
	"Future":              reflect.TypeFor[*broker.Future](),
	"tcp.Options":         reflect.TypeFor[*tcp.Options](),
	"tls.Options":         reflect.TypeFor[*tls.Options](),
	"properties.Settings": reflect.TypeFor[*Settings](),
	"properties.SASL":     reflect.TypeFor[*SASL](),
	"scram.Options":       reflect.TypeFor[*scram.Options](),
	"gssapi.Options":      reflect.TypeFor[*gssapi.Options](),
}

// functions are places as well.
var functions = map[string]any{"sensors.New": sensors.New, "WithRequestTimeout": broker.WithRequestTimeout,
	"WithTimeout": broker.WithTimeout}

// exists reports whether a place is there.
func exists(place string) bool {
	if place == "-" || functions[place] != nil {
		return true
	}
	i := strings.LastIndex(place, ".")
	of, known := placed[place[:max(i, 0)]]
	if !known {
		return false
	}
	_, method := of.MethodByName(place[i+1:])
	_, field := of.Elem().FieldByName(place[i+1:])
	return method || field
}

func TestSurfaceIsWhole(t *testing.T) {
	rows := map[string]bool{}
	for _, row := range surface {
		rows[row.key] = true
		for _, cell := range strings.Split(row.cells()[1], ", ") {
			if !exists(cell) {
				t.Errorf("%s: got %s, want a field or a function", row.key, cell)
			}
		}
	}
	for _, row := range methods {
		rows[row.method] = true
		for place := range strings.SplitSeq(row.polled+", "+row.conn, ", ") {
			if !exists(place) {
				t.Errorf("%s: there is no %s", row.method, place)
			}
		}
		if !strings.HasPrefix(row.polled, "Polled.") {
			t.Errorf("%s is not a method of Polled", row.method)
		}
	}
	keys, names := wordsOf(t, "testdata/seed_keys.txt"), wordsOf(t, "testdata/seed_methods.txt")
	if len(keys) != 32 || len(names) != 13 {
		t.Errorf("%d keys and %d methods", len(keys), len(names))
	}
	readme, doc := contents(t, "../../README.md"), contents(t, "doc.go")
	for _, key := range keys {
		if index[KafkaPython][key] == nil {
			t.Errorf("key %s is not known", key)
		}
		if !rows[key] || !strings.Contains(readme, "\n| `"+key+"` | ") || !strings.Contains(doc, "\n//\t"+key+" ") {
			t.Errorf("key %s is not in the tables", key)
		}
	}
	for _, name := range names {
		if !rows[name] || !strings.Contains(readme, "\n| `"+name+"` | ") || !strings.Contains(doc, "\n//\t"+name+" ") {
			t.Errorf("method %s is not in the tables", name)
		}
	}
	if len(surface) != len(keys) || len(methods) != len(names) {
		t.Errorf("the tables have rows that kafka-python has not")
	}
}

func TestExistsCatches(t *testing.T) {
	for _, place := range []string{"Config.Hosts", "Conn.close", "tcp.Option.Level", "properties.TLS.CA", "WithLimit",
		"sensors.Old"} {
		if exists(place) {
			t.Errorf("%s: got a place, want none", place)
		}
	}
}

// cells are a row of the table: key, place, default and deviation.
func (r surfaceRow) cells() []string {
	fields, standard := place(index[KafkaPython][r.key])
	if r.also != "" {
		fields = append(fields, r.also)
	}
	return []string{r.key, strings.Join(fields, ", "), standard, r.deviation}
}

// TestSurfaceIsInTheTexts: the tables are the same in all places.
func TestSurfaceIsInTheTexts(t *testing.T) {
	surfaceTable := [][]string{{"kafka-python", "here", "default", "deviation"}}
	shortTable := slices.Clone(surfaceTable)
	for _, row := range surface {
		surfaceTable = append(surfaceTable, row.cells())
		row.also = ""
		shortTable = append(shortTable, row.cells())
	}
	methodTable := [][]string{{"kafka-python", "Polled", "Conn", "deviation"}}
	for _, row := range methods {
		methodTable = append(methodTable, []string{row.method, row.polled, row.conn, row.deviation})
	}
	keyTable := [][]string{{"kafka-python", "Java", "librdkafka", "sets", "default"}}
	for _, k := range keys() {
		if k.to == "" || k.object != "" {
			continue
		}
		fields, standard := place(k)
		row := []string{listed(k.kafkaPython), listed(k.java), listed(k.librdkafka), strings.Join(fields, ", "),
			standard}
		if k == jaasKey {
			row[3], row[4] = "-", "the options of the login module"
		}
		keyTable = append(keyTable, row)
	}
	checkTable(t, "../../README.md", "| kafka-python | here |", "\n\n", markdown(surfaceTable, 2))
	checkTable(t, "../../README.md", "| kafka-python | Polled |", "\n\n", markdown(methodTable, 3))
	checkTable(t, "../../README.md", "| kafka-python | Java |", "\n\n", markdown(keyTable, 4))
	checkTable(t, "doc.go", "//\tkafka-python  ", "\n//\n", aligned(shortTable, 3))
	checkTable(t, "doc.go", "//\tkafka-python              Polled", "\npackage", aligned(methodTable, 3))
}

// listed are names that spaces separate, or "-".
func listed(names string) string { return cmp.Or(strings.Join(strings.Fields(names), ", "), "-") }

// checkTable checks that the part of a file from begin to end is the wanted text, or
// makes it that.
func checkTable(t *testing.T, file, begin, end, want string) {
	t.Helper()
	all := contents(t, file)
	from := strings.Index(all, begin)
	if from < 0 {
		t.Fatalf("%s has no %q", file, begin)
	}
	length := strings.Index(all[from:], end)
	got := all[from : from+length]
	if got == want {
		return
	}
	if !*update {
		t.Errorf("%s: the table that begins with %q is not the one in this file: go test ./application/properties "+
			"-run Surface -update\ngot\n%s\nwant\n%s", file, begin, got, want)
		return
	}
	if err := os.WriteFile(file, []byte(all[:from]+want+all[from+length:]), 0o644); err != nil {
		t.Fatal(err)
	}
}

// markdown makes a table, the first columns of which are code.
func markdown(rows [][]string, code int) string {
	var b strings.Builder
	for i, row := range rows {
		cells := slices.Clone(row)
		for j := range code {
			if i > 0 && cells[j] != "-" {
				cells[j] = "`" + strings.ReplaceAll(cells[j], ", ", "`, `") + "`"
			}
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
		if i == 0 {
			b.WriteString("|" + strings.Repeat("---|", len(row)) + "\n")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// aligned makes a table of the first columns, for a comment.
func aligned(rows [][]string, columns int) string {
	widths := make([]int, columns)
	for _, row := range rows {
		for j, cell := range row[:columns] {
			widths[j] = max(widths[j], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		line := "//\t"
		for j, cell := range row[:columns] {
			line += fmt.Sprintf("%-*s  ", widths[j], cell)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func wordsOf(t *testing.T, file string) []string { return strings.Fields(contents(t, file)) }

func contents(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
