package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
)

// Verdicts.
const (
	killed   = "killed"
	survived = "survived"
	invalid  = "invalid" // does not compile
)

// result is one line of a record.
type result struct {
	mutant  mutant
	verdict string
	by      string // of a killed one: the package and the test that failed, or "timeout"
}

const columns = "id\tverdict\tpackage\tfile\tline\tcolumn\toperator\tfunction\tordinal\ttext\tby\n"

func (r *result) line() string {
	m := &r.mutant
	return strings.Join([]string{
		m.id, r.verdict, m.pkg, m.file, strconv.Itoa(m.line), strconv.Itoa(m.column), m.operator, m.function,
		strconv.Itoa(m.ordinal), strconv.Quote(m.text), r.by,
	}, "\t") + "\n"
}

// readRecord reads a record. Lines that begin with # are comments. The last line may be
// cut off; it is left out.
func readRecord(file string) (results []result, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "#") || line == columns || !strings.HasSuffix(line, "\n") {
			continue
		}
		r, err := parseResult(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, fmt.Errorf("%s: %w in %q", file, err, line)
		}
		results = append(results, r)
	}
	return results, nil
}

func parseResult(line string) (r result, err error) {
	f := strings.Split(line, "\t")
	if len(f) != strings.Count(columns, "\t")+1 {
		return r, fmt.Errorf("%d columns", len(f))
	}
	number := func(text string) int {
		n, e := strconv.Atoi(text)
		err = errors.Join(err, e)
		return n
	}
	text, e := strconv.Unquote(f[9])
	r = result{
		mutant: mutant{
			id: f[0], pkg: f[2], file: f[3], line: number(f[4]), column: number(f[5]), operator: f[6], function: f[7],
			ordinal: number(f[8]), text: text,
		},
		verdict: f[1], by: f[10],
	}
	return r, errors.Join(err, e)
}

// recorder appends results to a file, or to none.
type recorder struct{ file *os.File }

// openRecord returns what the file holds already and a recorder that appends to it. A
// new file begins with the header. Without a name nothing is kept.
func openRecord(name, header string) (before []result, to *recorder, err error) {
	if name == "" {
		return nil, &recorder{}, nil
	}
	old, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = nil
	case err != nil:
		return nil, nil, err
	default:
		if before, err = readRecord(name); err != nil {
			return nil, nil, err
		}
	}
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, nil, err
	}
	whole := bytes.LastIndexByte(old, '\n') + 1
	err = errors.Join(file.Truncate(int64(whole)), seekEnd(file))
	if err == nil && whole == 0 {
		_, err = file.WriteString(header + columns)
	}
	return before, &recorder{file}, err
}

func seekEnd(file *os.File) error {
	_, err := file.Seek(0, 2)
	return err
}

func (r *recorder) append(res *result) error {
	if r.file == nil {
		return nil
	}
	_, err := r.file.WriteString(res.line())
	return err
}

func (r *recorder) close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}
