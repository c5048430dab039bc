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

// escaped is JSON that a terminal does not obey. encoding/json leaves some as it is
// that terminals know: DEL, the controls of eight bits, what turns the direction of
// writing. All of it stands within strings, but for the end of the line.
func escaped(doc string) string {
	var b strings.Builder
	for _, r := range doc {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
