package versions

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"brokerconn/application/broker"
)

// reference is another library that detects the release of a broker.
type reference struct {
	name string
	// ask returns its result, a release in the form of broker.Release.
	ask func(ctx context.Context, addr string) (string, error)
}

// kafkaPythons are the last release with a BrokerConnection and the current release.
var kafkaPythons = []string{"2.3.3", "3.0.12"}

// referencePatience bounds the result of one library; with 0.8 and 0.9 they need many
// attempts.
const referencePatience = 10 * time.Second

// references returns all libraries, kafka-python only if it has an interpreter.
func references(interpreters map[string]string) (all []reference) {
	for _, version := range kafkaPythons {
		if interpreter, ok := interpreters[version]; ok {
			all = append(all, reference{"kafka-python " + version,
				func(ctx context.Context, addr string) (string, error) {
					return askPython(ctx, interpreter, version, addr)
				}})
		}
	}
	return append(all, reference{"kversion", askFranz})
}

//go:embed testdata/check_version.py
var checkVersion string

func askPython(ctx context.Context, interpreter, version, addr string) (string, error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, interpreter, "-I", "-W", "ignore", "-c", checkVersion, port,
		fmt.Sprint(referencePatience.Seconds()))
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(complaint.String()))
	}
	return readPython(out, version)
}

// readPython parses the output of the script.
func readPython(line []byte, version string) (string, error) {
	var said struct {
		Version, Error string
		Release        []int
	}
	if err := json.Unmarshal(line, &said); err != nil {
		return "", fmt.Errorf("got the line %q: %w", line, err)
	}
	switch n := len(said.Release); {
	case said.Version != version:
		return "", fmt.Errorf("got kafka-python %s, want %s", said.Version, version)
	case said.Error != "":
		return "", errors.New(said.Error)
	case n < 2 || n > 3:
		return "", fmt.Errorf("got %v, want a release", said.Release)
	}
	r := append(said.Release, 0) // it has (0, 9) for 0.9.0
	return broker.Release{Major: r[0], Minor: r[1], Patch: r[2]}.String(), nil
}

// askFranz fetches the table by franz-go's client, as its users do.
func askFranz(ctx context.Context, addr string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, referencePatience)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		return "", err
	}
	defer client.Close()
	request := kmsg.NewPtrApiVersionsRequest()
	request.ClientSoftwareName, request.ClientSoftwareVersion = "kgo", "0"
	response, err := client.SeedBrokers()[0].Request(ctx, request)
	if err != nil {
		return "", err
	}
	guess := kversion.FromApiVersionsResponse(response.(*kmsg.ApiVersionsResponse)).VersionGuess()
	return vNumber.ReplaceAllString(guess, "$1"), nil
}

// vNumber is the start of a release in the form of kversion.
var vNumber = regexp.MustCompile(`\bv(\d)`)
