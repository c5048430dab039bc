package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
)

// emit writes the answer of a command: doc with --json, otherwise text.
func (a *app) emit(doc any, text string) error {
	a.progress.clear()
	if a.json {
		a.documented = true
		return writeJSON(a.stdout, doc)
	}
	_, err := io.WriteString(a.stdout, text)
	return err
}

// writeJSON writes one document, in one write.
func writeJSON(w io.Writer, doc any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, escaped(b.String()))
	return err
}

// escaped returns JSON without control characters. encoding/json does not escape DEL, the
// 8-bit control characters and those that change the writing direction. All of these are
// inside strings, except for the final newline.
func escaped(doc string) string {
	var b strings.Builder
	for _, r := range doc {
		if r == '\n' || unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}
