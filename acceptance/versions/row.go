package versions

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"brokerconn/acceptance"
	"brokerconn/application/broker"
)

// row is the results for one broker.
type row struct {
	acceptance.Variant
	answer
	err   error // why there is no answer
	cost  *tally
	took  time.Duration
	other []reply // in the order of the references
}

// reply is the answer of a reference, or its error.
type reply struct {
	name, text string
	err        error
}

func (o reply) String() string {
	if o.err != nil {
		return "cannot"
	}
	return o.text
}

func (o reply) right(r broker.Release) bool { return o.err == nil && o.text == r.String() }

// wrong returns the faults of the row.
func (r row) wrong() (complaints []string) {
	complain := func(format string, args ...any) { complaints = append(complaints, fmt.Sprintf(format, args...)) }
	want := r.Release()
	if r.exact != want {
		complain("got %q (%v), want %v", r.text, r.err, want)
		for _, o := range r.other {
			if o.right(want) {
				complain("%s says so", o.name)
			}
		}
	}
	if r.lineage != "" && r.lineage != r.Mode.String()+" broker" {
		complain("got a %s, want a %s broker", r.lineage, r.Mode)
	}
	connections, roundTrips := limits(want)
	if r.cost.connections > connections {
		complain("got %d connections, want at most %d", r.cost.connections, connections)
	}
	if roundTrips > 0 && r.cost.roundTrips > roundTrips {
		complain("got %d round trips, want at most %d", r.cost.roundTrips, roundTrips)
	}
	if r.cost.silences > 0 {
		complain("got %d connections that ended with a timeout, want 0", r.cost.silences)
	}
	return complaints
}

// shortest is the length to which the table cuts the evidence.
const shortest = 60

// write prints the table, and the number of right results of each library.
func write(to io.Writer, rows []row) {
	if len(rows) == 0 {
		return
	}
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "BROKER\tMODE\tVERDICT\tLINEAGE\tCONNECTIONS\tROUND TRIPS\tTIME\t")
	right := make([]int, len(rows[0].other))
	for _, o := range rows[0].other {
		fmt.Fprintf(w, "%s\t", o.name)
	}
	fmt.Fprintln(w, "EVIDENCE")
	ours := 0
	for _, r := range rows {
		if r.exact == r.Release() {
			ours++
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%v\t", r.Version, r.Mode,
			cmp.Or(r.text, "none"), cmp.Or(r.lineage, "-"),
			r.cost.connections, r.cost.roundTrips, r.took.Round(time.Millisecond))
		for i, o := range r.other {
			if o.right(r.Release()) {
				right[i]++
			}
			fmt.Fprintf(w, "%s\t", o)
		}
		fmt.Fprintln(w, short(r.evidence))
	}
	w.Flush()
	fmt.Fprintf(to, "of %d rows exact: ours %d", len(rows), ours)
	for i, o := range rows[0].other {
		fmt.Fprintf(to, ", %s %d", o.name, right[i])
	}
	fmt.Fprintln(to)
}

func short(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	if letters := []rune(text); len(letters) > shortest {
		return string(letters[:shortest-1]) + "…"
	}
	return text
}
