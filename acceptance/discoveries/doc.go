// Package discoveries holds what real peers do where a good guess is wrong, a row for each,
// with the tests that hold it. README.md is the table.
package discoveries
