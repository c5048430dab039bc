package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
)

// The score is how many of the mutants that change anything are killed. Some change nothing: what they
// replace is never seen, or the same by another way. These, and those that no test notices, have a line
// each in testdata/reasons.tsv: an id, "equivalent" or "survivor", and the reason.

const equivalent, survivor = "equivalent", "survivor"

// leastScore is the score below which the command fails, in percent.
const leastScore = 95.0

var errScore = errors.New("too many mutants survive, or one has no reason")

// readReasons reads the reasons, as the kind of each mutant by id. There may be no such file.
func readReasons(name string) (map[string]string, error) {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	reasons, lines := map[string]string{}, bufio.NewScanner(file)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		f := strings.Split(lines.Text(), "\t")
		if len(f) != 3 || f[1] != equivalent && f[1] != survivor || f[2] == "" {
			return nil, fmt.Errorf("%s: want an id, equivalent or survivor, and a reason, in %q", name, lines.Text())
		}
		if reasons[f[0]] != "" {
			return nil, fmt.Errorf("%s: two reasons for %s", name, f[0])
		}
		reasons[f[0]] = f[1]
	}
	return reasons, lines.Err()
}

// score prints the score of results, and the survivors that have no reason. It returns errScore if there are
// any, or if the score is too low.
func score(results []result, reasons map[string]string, stdout io.Writer) error {
	var dead, same, alive int
	var unexplained []string
	for _, r := range results {
		switch {
		case r.verdict == killed:
			dead++
		case r.verdict != survived:
		case reasons[r.mutant.id] == equivalent:
			same++
		default:
			alive++
			if reasons[r.mutant.id] == "" {
				unexplained = append(unexplained, r.mutant.id+" "+r.mutant.String())
			}
		}
	}
	percent := 100 * float64(dead) / float64(max(dead+alive, 1))
	for _, text := range unexplained {
		fmt.Fprintln(stdout, "no reason:", text)
	}
	fmt.Fprintf(stdout, "%d killed, %d equivalent, %d survived, of which %d have no reason: %.1f %%\n",
		dead, same, alive, len(unexplained), percent)
	if len(unexplained) > 0 || percent < leastScore {
		return errScore
	}
	return nil
}
