package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mark is planted. It is put together, so that no failure of these tests shows it.
var mark = "cana" + "ry-4711"

const planted = `package planted

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

const mark = "MARK"

var old = time.Now().Add(-time.Hour)

func TestLogs(t *testing.T)    { t.Log("the password is", mark) }
func TestPrints(t *testing.T)  { fmt.Println(mark) }
func TestErrors(t *testing.T)  { fmt.Fprintln(os.Stderr, "x"+mark) }
func TestStd(t *testing.T)     { log.Printf("login: %q", mark) }
func TestBase64(t *testing.T)  { t.Log(base64.StdEncoding.EncodeToString([]byte("\x00alice\x00" + mark + "!"))) }
func TestHex(t *testing.T)     { t.Logf("%X", mark) }
func TestBytes(t *testing.T)   { t.Logf("%v", struct{ b []byte }{[]byte(mark)}) }
func TestURL(t *testing.T)     { t.Log("https://a:" + url.QueryEscape(mark) + "@idp") }
func TestNames(t *testing.T)   { t.Run(mark, func(*testing.T) {}) }
func TestLong(t *testing.T)    { t.Log(strings.Repeat("x", 4090) + mark + strings.Repeat("x", 9000)) }
func TestSkips(t *testing.T)   { t.Skip(mark) }
func TestClean(t *testing.T)   { t.Log("nothing to see here") }
func TestFails(t *testing.T)   { t.Error("it is wrong") }
func TestPanics(t *testing.T)  { panic(fmt.Errorf("refused: %s", mark)) }
func TestUTF16(t *testing.T)   { t.Logf("%x", utf16.Encode([]rune(mark))) }
func TestUTF16le(t *testing.T) { t.Log(wide(mark)) }
func TestBase32(t *testing.T)  { t.Log(base32.StdEncoding.EncodeToString([]byte("user:" + mark + "!"))) }
func TestColons(t *testing.T)  { t.Log(strings.ReplaceAll(fmt.Sprintf("% X", mark), " ", ":")) }
func TestPairs(t *testing.T)   { t.Logf("%x %x %x", mark[:2], mark[2:4], mark[4:]) }
func TestJSON(t *testing.T)    { t.Log(strings.ReplaceAll(fmt.Sprintf("% x", " "+mark), " ", "\\u00")) }
func TestList(t *testing.T)    { b, _ := json.Marshal([]rune(mark)); t.Log(string(b)) }
func TestHTML(t *testing.T)    { for _, r := range mark { fmt.Printf("&#%d;", r) }; fmt.Println() }
func TestUpper(t *testing.T)   { t.Log(strings.ToUpper(mark)) }
func TestQuoted(t *testing.T)  { t.Log(strings.ReplaceAll(fmt.Sprintf("% X", " "+mark), " ", "=")) }
func TestOctal(t *testing.T)   { for i := range len(mark) { fmt.Printf("\\%03o", mark[i]) }; fmt.Println() }
func TestTwice(t *testing.T) {
	t.Log(base64.StdEncoding.EncodeToString([]byte(base64.URLEncoding.EncodeToString([]byte(mark)))))
}
func TestLeft(t *testing.T)    { f, _ := os.CreateTemp("", "left"); f.WriteString("x" + mark); f.Close() }
func TestWritten(t *testing.T) { os.WriteFile("run.log", []byte(mark), 0o600) }
func TestTitle(t *testing.T)   { t.Log("x " + strings.ToUpper(mark[:1]) + mark[1:]) }
func TestDated(t *testing.T)   { os.WriteFile("dated", []byte(mark), 0o600); os.Chtimes("dated", old, old) }
func TestNamed(t *testing.T)   { d, _ := os.MkdirTemp("", "d"); os.WriteFile(d+"/"+mark, nil, 0o600) }
func TestFolder(t *testing.T)  { os.MkdirTemp("", mark) }
func TestLinked(t *testing.T)  { d, _ := os.MkdirTemp("", "d"); os.Symlink(mark, d+"/linked") }
func TestGo(t *testing.T)      { os.WriteFile("new.go", []byte("package planted // "+mark), 0o600) }
func TestRemoved(t *testing.T) { os.WriteFile(t.TempDir()+"/input", []byte(mark), 0o600) }

func wide(s string) string {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r), 0)
	}
	return string(b)
}
func TestApart(t *testing.T)   { t.Log([]string{"cana", "ry"}) }
`

// plant is a module of its own, with a test for each way to show a secret.
func plant(t *testing.T, code string) {
	t.Helper()
	t.Chdir(t.TempDir())
	t.Setenv("GOFLAGS", "")
	t.Setenv("GOWORK", "off")
	for name, text := range map[string]string{
		"go.mod": "module planted\n\ngo 1.26\n", "planted_test.go": strings.ReplaceAll(code, "MARK", mark),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func leaks(t *testing.T, args ...string) (code int, out string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), args, &stdout, &stderr)
	return code, stdout.String() + stderr.String()
}

// TestPlantedLeaks: each is found although every test passes.
func TestPlantedLeaks(t *testing.T) {
	plant(t, planted)
	ways := []string{"Logs", "Prints", "Errors", "Std", "Base64", "Hex", "Bytes", "URL", "Names", "Long", "Skips",
		"UTF16", "UTF16le", "Base32", "Colons", "Pairs", "JSON", "List", "HTML", "Upper", "Quoted", "Octal", "Twice",
		"Title"}
	code, out := leaks(t, "go", "test", "-run", "^Test("+strings.Join(ways, "|")+")$", ".")
	if code != 1 {
		t.Errorf("got exit code %d, want 1", code)
	}
	for _, way := range ways {
		if !strings.Contains(out, "SECRET SHOWN by planted Test"+way) {
			t.Errorf("got no secret by Test%s, want one", way)
		}
	}
	code, out = leaks(t, "go", "test", "-run", "TestPanics", ".")
	if code != 1 || !strings.Contains(out, "SECRET SHOWN by planted TestPanics") {
		t.Errorf("a panic: got exit code %d, want 1, and the secret", code)
	}
	plant(t, "package planted\nvar _ = undefined(`MARK`)\n"+`var _ int = "MARK"`)
	if code, out := leaks(t, "go", "test", "."); code != 1 || !strings.Contains(out, "SECRET SHOWN by planted") {
		t.Errorf("a message of the compiler: got exit code %d, want 1, and the secret", code)
	}
}

// TestPiecesOfTwoTests: a line comes in pieces, and those of tests that run at once alternate.
func TestPiecesOfTwoTests(t *testing.T) {
	s := newScanner(marks)
	for _, piece := range []struct{ pkg, test, text string }{
		{"p", "A", "x" + mark[:3]}, {"p", "B", "y"}, {"q", "A", "z"}, {"p", "A", mark[3:] + "\n"},
		{"p", "A", mark[:3]}, {"p", "B", mark[3:] + "\n"}, // no secret: two lines
	} {
		s.scan(piece.pkg, piece.test, piece.text)
	}
	if len(s.found) != 1 || !strings.HasPrefix(s.found[0], "by p A: ") {
		t.Errorf("got %d secrets, want 1, by p A", len(s.found))
	}
}

// TestFilesLeftBehind: those that a test writes and removes again are its inputs.
func TestFilesLeftBehind(t *testing.T) {
	plant(t, planted)
	if err := os.WriteFile("before.txt", []byte(mark), 0o600); err != nil {
		t.Fatal(err)
	}
	yesterday := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes("before.txt", yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	for test, file := range map[string]string{"Left": "left", "Written": "run.log", "Removed": "",
		"Dated": "dated", "Named": mark, "Folder": mark, "Linked": "linked", "Go": "new.go"} {
		code, out := leaks(t, "go", "test", "-run", "Test"+test+"$", ".")
		found := strings.Contains(out, "SECRET SHOWN by the file ") && strings.Contains(out, file)
		if want := file != ""; found != want || (code == 1) != want {
			t.Errorf("Test%s: got exit code %d and %s, want a secret in a file: %v", test, code, out, want)
		}
		for _, name := range []string{"run.log", "dated", "new.go"} {
			_ = os.Remove(name)
		}
	}
}

// TestOutput is what go test prints without -v, and all of it with.
func TestOutput(t *testing.T) {
	plant(t, planted)
	for name, c := range map[string]struct {
		args      []string
		code      int
		has, lack []string
	}{
		"all well": {[]string{"go", "test", "-run", "Clean|Apart", "."}, 0, []string{"ok  \tplanted",
			"2 tests, 0 skipped, 0 packages failed; 0 secrets"}, []string{"nothing to see", "---"}},
		"verbose": {[]string{"-v", "go", "test", "-run", "Clean", "."}, 0, []string{"nothing to see",
			"--- PASS: TestClean"}, nil},
		"one fails": {[]string{"go", "test", "-run", "Clean|Fails", "."}, 1, []string{"it is wrong",
			"--- FAIL: TestFails", "FAIL\tplanted", "1 packages failed"}, []string{"nothing to see"}},
		"no such one": {[]string{"go", "test", "./none"}, 1, []string{"none"}, nil},
		"no command":  {[]string{filepath.Join("no", "go"), "test", "."}, 2, []string{"leaks: "}, nil},
		"no test":     {[]string{"go", "build"}, 2, []string{"usage"}, nil},
		"nothing":     {nil, 2, []string{"usage"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			code, out := leaks(t, c.args...)
			if code != c.code {
				t.Errorf("got exit code %d, want %d", code, c.code)
			}
			for _, words := range c.has {
				if !strings.Contains(out, words) {
					t.Errorf("got\n%s\nwant %q in it", out, words)
				}
			}
			for _, words := range c.lack {
				if strings.Contains(out, words) {
					t.Errorf("got\n%s\nwant no %q in it", out, words)
				}
			}
		})
	}
}
