package properties

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"brokerconn/adapters/metrics/sensors"
	"brokerconn/adapters/tcp"
	"brokerconn/adapters/tls"
	"brokerconn/application/broker"
)

// The surface of kafka-python's BrokerConnection and where it is here, as two
// tables. They stand in the README and in this package's documentation, into which
// go test ./application/properties -run Surface -update writes them; the tests see to
// it that nothing is missing and that every Go place exists.

var update = flag.Bool("update", false, "write the tables into README.md and doc.go")

// surface says where each key is. A place is a field or a function that placed
// knows; several are separated by ", ".
var surface = []struct{ key, place, standard, deviation string }{
	{"host", "Config.Host", "localhost", "had no default"},
	{"port", "Config.Port", "9092", "had no default"},
	{"afi", "tcp.Options.AddressFamily", "any", "-"},
	{"client_id", "Config.ClientID", "brokerconn- and the version", "at most 249 bytes"},
	{"reconnect_backoff_ms", "Config.ReconnectBackoff", "50 ms", "counted from the failure, not from the attempt; at least 1 ms"},
	{"reconnect_backoff_max_ms", "Config.ReconnectBackoffMax", "1 s", "refused where less than the former, which meant no growth"},
	{"request_timeout_ms", "Config.RequestTimeout, WithRequestTimeout, Conn.SendWithin, Polled.SendWithin", "30 s", "setup has its own, Config.SetupTimeout; throttled time is not counted"},
	{"max_in_flight_requests_per_connection", "Config.MaxInFlight", "5", "Conn.Request waits in line instead of failing"},
	{"receive_buffer_bytes", "tcp.Options.ReceiveBufferBytes", "the system's", "does not leak into other connections"},
	{"send_buffer_bytes", "tcp.Options.SendBufferBytes", "the system's", "does not leak into other connections"},
	{"socket_options", "tcp.Options.SocketOptions", "TCP_NODELAY", "added to the default, not in its place"},
	{"security_protocol", "properties.Settings.Security", "PLAINTEXT", "keys for a protection that it does not give are refused"},
	{"ssl_context", "tls.Options.Config", "none", "in Go only"},
	{"ssl_check_hostname", "properties.TLS.AnyHost", "true", "the field is the opposite"},
	{"ssl_cafile", "properties.TLS.CAFile", "the system's", "-"},
	{"ssl_certfile", "properties.TLS.CertFile", "none", "refused without a key, where both were left out"},
	{"ssl_keyfile", "properties.TLS.KeyFile", "none", "refused without a certificate, where both were left out"},
	{"ssl_password", "properties.TLS.KeyPassword", "none", "as text; in Go a function, tls.Options.KeyPassword; refused without a key"},
	{"ssl_crlfile", "properties.TLS.CRLFile", "none", "DER as well"},
	{"ssl_ciphers", "properties.TLS.Ciphers", "crypto/tls's", "those of TLS 1.3 cannot be chosen"},
	{"api_version", "Config.APIVersion", "the broker is asked", "any release, patch numbers too; the default was (0, 8, 2)"},
	{"api_version_auto_timeout_ms", "Config.APIVersionTimeout", "2 s", "of each time that a connection is made, not of a constructor"},
	{"selector", "Config.Selector", "of the clock and the link", "in Go only; a port, for Polled"},
	{"state_change_callback", "Hooks.StateChanged", "none", "in Go only; told from, to, address and error"},
	{"metrics", "Config.Metrics", "none", "in Go only; sensors.Registry is kafka-python's"},
	{"metric_group_prefix", "sensors.New, properties.Settings.MetricGroupPrefix", "empty", "-"},
	{"sasl_mechanism", "properties.SASL.Mechanism", "none", "-"},
	{"sasl_plain_username", "properties.SASL.Username", "none", "-"},
	{"sasl_plain_password", "properties.SASL.Password", "none", "printed redacted"},
	{"sasl_kerberos_service_name", "properties.Kerberos.ServiceName", "kafka", "-"},
	{"sasl_kerberos_domain_name", "properties.Kerberos.DomainName", "the host dialled", "-"},
	{"sasl_oauth_token_provider", "Config.Authenticators", "none", "in Go only"},
}

// methods says where each method is.
var methods = []struct{ method, polled, conn, deviation string }{
	{"blacked_out", "Polled.BlackedOut", "Conn.BlackedOut", "the pause is counted from the failure"},
	{"can_send_more", "Polled.CanSendMore", "Conn.CanSendMore", "-"},
	{"check_version", "Polled.CheckVersion", "Conn.CheckVersion", "a Verdict with its evidence; Low.Tuple() is the tuple; silence is never taken for an answer"},
	{"close", "Polled.Close", "Conn.Close, Conn.Abort", "Conn's are final; without an error the backoff does not grow, and requests fail with ErrClosed"},
	{"connect", "Polled.Connect", "Conn.Connect", "Conn's waits, for as long as its context"},
	{"connected", "Polled.Connected", "Conn.Connected", "-"},
	{"connecting", "Polled.Connecting", "Conn.Connecting", "-"},
	{"connection_delay", "Polled.ConnectionDelay", "Conn.ConnectionDelay", "\"forever\" is a second result, not a large number"},
	{"disconnected", "Polled.Disconnected", "Conn.Disconnected", "-"},
	{"recv", "Polled.Recv", "Future.Wait", "bytes that come with the end are kept; Futures are done when returned"},
	{"send", "Polled.Send", "Conn.Send, Conn.Request", "-"},
	{"send_pending_requests", "Polled.SendPending", "-", "a Conn writes by itself"},
	{"send_pending_requests_v2", "Polled.SendPendingV2", "-", "true only if nothing at all is left; a Conn writes by itself"},
}

// placed are the types that a place is a field or method of.
var placed = map[string]reflect.Type{
	"Config":              reflect.TypeFor[*broker.Config](),
	"Hooks":               reflect.TypeFor[*broker.Hooks](),
	"Conn":                reflect.TypeFor[*broker.Conn](),
	"Polled":              reflect.TypeFor[*broker.Polled](),
	"Future":              reflect.TypeFor[*broker.Future](),
	"tcp.Options":         reflect.TypeFor[*tcp.Options](),
	"tls.Options":         reflect.TypeFor[*tls.Options](),
	"properties.Settings": reflect.TypeFor[*Settings](),
	"properties.TLS":      reflect.TypeFor[*TLS](),
	"properties.SASL":     reflect.TypeFor[*SASL](),
	"properties.Kerberos": reflect.TypeFor[*Kerberos](),
}

// functions are places as well.
var functions = map[string]any{"sensors.New": sensors.New, "WithRequestTimeout": broker.WithRequestTimeout}

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
		for place := range strings.SplitSeq(row.place, ", ") {
			if !exists(place) {
				t.Errorf("%s: there is no %s", row.key, place)
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
	for _, place := range []string{"Config.Hosts", "Conn.close", "tcp.Option.Level", "properties.TLS.CA", "WithTimeout", "sensors.Old"} {
		if exists(place) {
			t.Errorf("%s", place)
		}
	}
}

// TestSurfaceStandsInTheTexts: the tables are the same in all places.
func TestSurfaceStandsInTheTexts(t *testing.T) {
	keys := [][]string{{"kafka-python", "here", "default", "deviation"}}
	for _, row := range surface {
		keys = append(keys, []string{row.key, row.place, row.standard, row.deviation})
	}
	names := [][]string{{"kafka-python", "Polled", "Conn", "deviation"}}
	for _, row := range methods {
		names = append(names, []string{row.method, row.polled, row.conn, row.deviation})
	}
	stands(t, "../../README.md", "| kafka-python | here |", "\n\n", markdown(keys, 2))
	stands(t, "../../README.md", "| kafka-python | Polled |", "\n\n", markdown(names, 3))
	stands(t, "doc.go", "//\tkafka-python  ", "\n//\n", aligned(keys))
	stands(t, "doc.go", "//\tkafka-python              Polled", "\npackage", aligned(names))
}

// stands checks that the part of a file from begin to end is the wanted text, or
// makes it that.
func stands(t *testing.T, file, begin, end, want string) {
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
		t.Errorf("%s: the table that begins with %q is not the one in this file: go test ./application/properties -run Surface -update\ngot\n%s\nwant\n%s", file, begin, got, want)
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

func aligned(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for j, cell := range row {
			widths[j] = max(widths[j], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		line := "//\t"
		for j, cell := range row {
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
