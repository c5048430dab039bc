// Package lessons tests what other clients of Kafka learnt from their users' issues: each
// row of README.md is an issue, and the tests that show that it does not happen here.
package lessons
