package wholefile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brokerconn/adapters/internal/wholefile"
)

func TestRead(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, size int) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		path string
		want string // in the error
	}{
		{write("empty", 0), ""},
		{write("full", 1<<20), ""},
		{write("large", 1<<20+1), "larger than 1 MiB"},
		{dir, "not a regular file"},
		{filepath.Join(dir, "missing"), "missing"},
	} {
		data, info, err := wholefile.Read(c.path, 1<<20)
		switch {
		case c.want == "" && (err != nil || info.Size() != int64(len(data))):
			t.Errorf("%s: got %d bytes, %v and error %v, want the whole file", c.path, len(data), info, err)
		case c.want != "" && (err == nil || data != nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %d bytes and error %v, want %q", c.path, len(data), err, c.want)
		}
	}
}
