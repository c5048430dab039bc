package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// print writes a table of what was measured and one of the rows, and returns the names of the rows that miss.
func (b *bench) print(out io.Writer) (missed []string) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "workload\tclient\tper second\t/ floor (quartiles)\tp50\tp99\tCPU\tswitches\tallocations")
	for _, w := range workloads {
		for _, c := range append(slices.Clone(w.clients), base) {
			results := b.found[w.name][c]
			if len(results) == 0 {
				continue
			}
			fmt.Fprintf(t, "%s\t%s\t%.0f\t%s\t%v\t%v\t%v\t%.2f\t%.2f\n", w.name, c, median(results, perSecond),
				b.ofFloor(w.name, c), duration(results, p50), duration(results, p99), duration(results, cpu),
				median(results, switches), median(results, allocs))
		}
	}
	_ = t.Flush()
	fmt.Fprintln(out)
	t = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "row\tfigure\tmedian (quartiles)\ttarget\t")
	for _, r := range rows {
		misses := false
		for _, f := range r.figures {
			values := b.values(f)
			if len(values) == 0 {
				if b.only == "" && (f.than != base || b.past != nil) {
					misses = true
				}
				continue
			}
			low, middle, high := quartiles(values)
			verdict := ""
			if !f.holds(middle) {
				verdict, misses = "misses", true
			}
			fmt.Fprintf(t, "%s\t%v\t%.2f (%.2f to %.2f)\t%s\t%s\n", r.name, f, middle, low, high, f.target(), verdict)
		}
		if misses {
			missed = append(missed, r.name)
		}
	}
	_ = t.Flush()
	fmt.Fprintln(out)
	return missed
}

var (
	p99      = metric{"p99", func(r result) float64 { return float64(r.P99) }}
	switches = metric{"switches", func(r result) float64 { return r.Switches }}
)

// ofFloor is the ratio of the requests per second to those of the floor.
func (b *bench) ofFloor(workload, client string) string {
	values := b.values(figure{workload: workload, client: client, of: perSecond, than: "floor"})
	if len(values) == 0 {
		return "-"
	}
	low, middle, high := quartiles(values)
	return fmt.Sprintf("%.3f (%.3f to %.3f)", middle, low, high)
}

func median(results []result, of metric) float64 {
	var list []float64
	for _, r := range results {
		list = append(list, of.of(r))
	}
	slices.Sort(list)
	return list[len(list)/2]
}

func duration(results []result, of metric) time.Duration {
	return time.Duration(median(results, of)).Round(100 * time.Nanosecond)
}
