// The command house measures the module and checks its rules of form.
//
//	house [-dir checkout] count          lines of code, and lines over 120 columns
//	house [-dir checkout] limits         files in each folder
//	house [-dir checkout] words [-pkg x] words and names that are not used here
//	house [-dir checkout] unmarked       credentials of tests without a mark
//	house [-dir checkout] api [-update]  go doc -all of each public package, against the committed text
//
// With -pkg, words are looked for in one folder only, with what is below it, or in one
// file. The exit code is 1 if a rule is broken, 2 if the command failed.
//
// The tests of this package hold the same rules, so that go test is all a change needs.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

const usage = "usage: house [-dir checkout] count | limits | words [-pkg path] | unmarked | api [-update]"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// errBroken is returned by a command that printed broken rules.
var errBroken = errors.New("rules are broken")

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("house", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("dir", ".", "root of the checkout")
	if flags.Parse(args) != nil {
		return 2
	}
	err := command(*dir, flags.Args(), stdout)
	switch {
	case errors.Is(err, errBroken):
		return 1
	case err != nil:
		fmt.Fprintln(stderr, "house:", err)
		return 2
	}
	return 0
}

func command(dir string, args []string, out io.Writer) error {
	name, rest := "", []string(nil)
	if len(args) > 0 {
		name, rest = args[0], args[1:]
	}
	switch {
	case name == "count" && len(rest) == 0:
		return printCount(dir, out)
	case name == "limits" && len(rest) == 0:
		return printLimits(dir, out)
	case name == "words" && len(rest) == 0:
		return printWords(dir, ".", out)
	case name == "words" && len(rest) == 2 && rest[0] == "-pkg":
		return printWords(dir, rest[1], out)
	case name == "unmarked" && len(rest) == 0:
		return printUnmarked(dir, out)
	case name == "api" && len(rest) == 0:
		return printAPI(dir, out)
	case name == "api" && len(rest) == 1 && rest[0] == "-update":
		return updateAPI(dir)
	}
	return errors.New(usage)
}
