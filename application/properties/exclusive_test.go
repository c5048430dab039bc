package properties

import (
	"reflect"
	"testing"

	"brokerconn/ports"
)

// readSources reads texts as sources, in which DIR is a folder.
func readSources(t *testing.T, dialect Dialect, dir string, texts ...string) (*Settings, error) {
	t.Helper()
	var sources [][]Property
	for _, text := range texts {
		sources = append(sources, written(t, dir, text))
	}
	return Read(dialect, sources...)
}

func TestWhyOneOfTwoIsIgnored(t *testing.T) {
	s, err := Read(Guess, written(t, "", "bootstrap_servers=a"), []Property{{Key: "host", Value: ports.NewSecret("c"),
		Where: "-X"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []Ignored{{Key: "bootstrap_servers", Where: "test.properties:1",
		Why: "host of a later source (-X) takes its place"}}
	if !reflect.DeepEqual(s.Ignored, want) {
		t.Errorf("got %+v, want %+v", s.Ignored, want)
	}
}

// The connection would go to localhost, although a file names the brokers.
func TestAPortAloneTakesNoPlace(t *testing.T) {
	for _, sources := range [][]string{{"bootstrap_servers=a:1", "port=3"},
		{"host=c", "bootstrap_servers=a:1", "port=3"}} {
		_, err := readSources(t, KafkaPython, "", sources...)
		wantProblem(t, err, "port", "host", "bootstrap_servers")
	}
}

// A password in a later source than the PEM store is a mistake.
func TestLaterPasswordOfPEMIsRejected(t *testing.T) {
	dir := stores(t)
	_, err := readSources(t, Java, dir, "security.protocol=SSL\nssl.truststore.type=PEM\nssl.keystore.type=PEM\n"+
		"ssl.truststore.location=DIR/ca.pem\nssl.keystore.location=DIR/client.pem",
		"ssl.truststore.password="+canary+"\nssl.keystore.password="+canary)
	if all := problems(t, err); len(all) != 2 || all[0].Key != "ssl.truststore.password" ||
		all[1].Key != "ssl.keystore.password" {
		t.Errorf("got %v, want an error of each password", err)
	}
}
