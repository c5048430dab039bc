package properties

import (
	"fmt"
	"strings"
)

// DidYouMean returns the end of a sentence that names the candidate nearest to what was
// written, or "" if none is near.
func DidYouMean(written string, candidates []string) string {
	best, distance := "", len(written)/2+2
	for _, c := range candidates {
		d := editDistance(strings.ToLower(written), strings.ToLower(c))
		if strings.Contains(strings.ToLower(c), strings.ToLower(written)) {
			d = min(d, 2) // a part of the name, whatever is missing
		}
		if d < distance {
			best, distance = c, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; the nearest is %q", best)
}

// editDistance counts the letters to insert, delete or replace (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
