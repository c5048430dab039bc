#!/usr/bin/env bash
# kfake, fetched by itself, does not compile: its go.mod names a franz-go that is too old for it.
#
# Guess:     "go get" of one module brings what the module needs.
# Versions:  github.com/twmb/franz-go/pkg/kfake of 2026-09-18 and the franz-go v1.21.7 that it requires,
#            Go 1.26.
# Behaviour: the module lives in franz-go's repository and is built there against its neighbours, by a
#            workspace that nobody else has. Outside it lacks methods of kversion. Asking for franz-go
#            v1.22.3 besides is enough.
# Seen:      the output compared below.
# Matters:   the errors are inside kfake, so the version of kfake is suspected and another one tried.
# Needs:     Go 1.26.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export GOMODCACHE=$work/mod GOFLAGS=-modcacherw GOWORK=off

cat >main.go <<'GO'
package main

import "github.com/twmb/franz-go/pkg/kfake"

func main() { kfake.MustCluster().Close() }
GO
build() {
  echo "with franz-go $(go list -m -f '{{.Version}}' github.com/twmb/franz-go):"
  go build . 2>&1 | sed -nE 's/.*type \*(kversion.Versions has no field or method \w+).*/\1/p' | sort -u
  if go run . 2>/dev/null; then echo builds; else echo "does not build"; fi
}
go mod init finding 2>/dev/null
go get github.com/twmb/franz-go/pkg/kfake@v0.0.0-20260918054303-01f206a7e32c 2>/dev/null
got=$(build)
go get github.com/twmb/franz-go@v1.22.3 2>/dev/null
got+=$'\n'$(build)
want='with franz-go v1.21.7:
kversion.Versions has no field or method EachFinalizedFeature
kversion.Versions has no field or method EachSupportedFeature
does not build
with franz-go v1.22.3:
builds'
printf '%s\n' "$got"
diff <(printf '%s\n' "$want") <(printf '%s\n' "$got") || { echo "the behaviour has changed" >&2; exit 1; }
