package main

import "fmt"

// A row is a property of the library that bench-verify holds: some figures, each with what it must be.
type row struct {
	name    string
	figures []figure
}

// A figure is a median over the rounds: of a metric of the library, or of its ratio to that of another client in the
// same round.
type figure struct {
	workload, client string // client "" is conn
	of               metric
	than             string // the other client; "" if the metric itself counts
	thanIn           string // its workload, if it is another one
	atLeast, atMost  float64
}

// metric is one number of a result.
type metric struct {
	name string
	of   func(result) float64
}

var (
	perSecond  = metric{"per second", func(r result) float64 { return r.PerSecond }}
	p50        = metric{"p50", func(r result) float64 { return float64(r.P50) }}
	cpu        = metric{"CPU per request", func(r result) float64 { return float64(r.CPU) }}
	allocs     = metric{"allocations", func(r result) float64 { return r.Allocs }}
	idleBytes  = metric{"kB", func(r result) float64 { return r.Bytes / 1000 }}
	goroutines = metric{"goroutines", func(r result) float64 { return r.Goroutines }}
)

// base is the library at the earlier commit.
const base = "base"

var rows = []row{
	{"64 blocking callers, requests/s", []figure{
		{workload: "64 callers", of: perSecond, than: "floor", atLeast: 0.60},
		{workload: "64 callers", of: perSecond, than: "franz", atLeast: 7.5},
		{workload: "64 callers", of: perSecond, than: base, atLeast: 1.5}}},
	{"64 async, requests/s", []figure{{workload: "64 async", of: perSecond, than: "floor", atLeast: 0.80}}},
	{"256 async, requests/s", []figure{
		{workload: "256 async", of: perSecond, than: "floor", atLeast: 0.55},
		{workload: "256 async", of: perSecond, than: "franz", atLeast: 16},
		{workload: "256 async", of: perSecond, than: base, atLeast: 2}}},
	{"64 async over TLS, requests/s", []figure{
		{workload: "64 async, TLS", of: perSecond, than: "floor", atLeast: 0.75}}},
	{"1 MiB produce, 5 in flight, bytes/s", []figure{
		{workload: "1 MiB produce", of: perSecond, than: "floor", atLeast: 0.92},
		{workload: "1 MiB produce", of: perSecond, than: "franz", atLeast: 1.3},
		{workload: "1 MiB produce", of: perSecond, than: base, atLeast: 2.4}}},
	{"1 MiB fetch, 5 in flight, bytes/s", []figure{
		{workload: "1 MiB fetch", of: perSecond, than: "floor", atLeast: 0.90},
		{workload: "1 MiB fetch, only looked at", client: "borrower", of: perSecond, than: "floor", atLeast: 0.92}}},
	{"1 in flight, p50", []figure{
		{workload: "1 in flight", of: p50, than: "floor", atMost: 1.12},
		{workload: "1 in flight, TLS", of: p50, than: "floor", atMost: 1.25}}},
	{"dial to ready, p50", []figure{
		{workload: "dial", of: p50, than: "floor", atMost: 1.30},
		{workload: "dial, TLS", of: p50, than: "floor", atMost: 1.12}}},
	{"an idle connection", []figure{
		{workload: "idle", of: idleBytes, atMost: 15},
		{workload: "idle", of: goroutines, atMost: 1}}},
	{"allocations per request", []figure{
		{workload: "1 in flight", of: allocs, atMost: 1.05}, // the body, which the caller keeps
		{workload: "1 in flight", client: "borrower", of: allocs, atMost: 0.05},
		{workload: "64 async", of: allocs, atMost: 1.05}, // the Future
		{workload: "64 async", client: "borrower", of: allocs, atMost: 1.05},
		{workload: "1 in flight", client: "typed", of: allocs, atMost: 2.05}}}, // the body, and the response
	{"CPU per request at 50 ms", []figure{{workload: "50 ms round trip", of: cpu, than: "floor", atMost: 1.5}}},
}

// String says what is measured.
func (f figure) String() string {
	text := f.of.name
	if f.client != "" {
		text = f.client + ", " + text
	}
	switch {
	case f.thanIn != "":
		text += " / " + f.than + ", " + f.thanIn
	case f.than != "":
		text += " / " + f.than
	}
	return text
}

func (f figure) target() string {
	if f.atLeast > 0 {
		return fmt.Sprintf("at least %g", f.atLeast)
	}
	return fmt.Sprintf("at most %g", f.atMost)
}

func (f figure) holds(value float64) bool {
	if f.atLeast > 0 {
		return value >= f.atLeast
	}
	return value <= f.atMost
}
