package prometheus_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	brokerprom "brokerconn/adapters/metrics/prometheus"
)

// scrape gets the page as a Prometheus server does, over a socket, has it linted,
// and returns its samples by "name{labels}", without the prefix of the names.
func scrape(t *testing.T, c *brokerprom.Collector) map[string]float64 {
	t.Helper()
	registry := prom.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry}))
	defer server.Close()
	answer, err := server.Client().Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v\n%s", answer.Status, err, page)
	}
	problems, err := promlint.New(strings.NewReader(string(page))).Lint()
	if err != nil {
		t.Fatalf("the page cannot be read: %v", err)
	}
	for _, p := range problems {
		t.Errorf("lint: %s: %s", p.Metric, p.Text)
	}
	samples := map[string]float64{}
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "brokerconn_") {
			continue // a comment, or a metric of the handler's
		}
		i := strings.LastIndexByte(line, ' ')
		value, err := strconv.ParseFloat(strings.TrimSpace(line[i:]), 64)
		if err != nil {
			t.Fatal(err)
		}
		samples[strings.TrimPrefix(line[:i], "brokerconn_")] = value
	}
	return samples
}

// compare compares all samples but the buckets of histograms: what is not wanted
// must be 0.
func compare(t *testing.T, got, want map[string]float64) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if strings.Contains(name, "_bucket{") {
			continue
		}
		if v := got[name]; fmt.Sprintf("%.9f", v) != fmt.Sprintf("%.9f", want[name]) {
			t.Errorf("%s is %v, want %v", name, v, want[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if _, ok := got[name]; !ok {
			t.Errorf("%s is missing", name)
		}
	}
}
