#!/usr/bin/env bash
# kmsg's RequestFormatter writes ControlledShutdown v0 without a size and without its body.
#
# Guess:      RequestFormatter.AppendRequest returns a whole frame for each version of each request;
#             version 0 of ControlledShutdown differs by having no client id in its header.
# Version:    github.com/twmb/franz-go/pkg/kmsg v1.15.0.
# Behaviour:  for that version alone it returns 12 bytes: a size field of 0 and a header. The
#             broker id of the body is missing. It leaves the function where the client id would be.
# Seen:       see expected below.
# It matters to whoever tests against brokers of 0.8 and 0.9 with kmsg, or writes a proxy for them:
# a broker reads a frame of size 0, and takes the header for the next one.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module finding

go 1.25
MOD
cat > main.go <<'GO'
package main

import (
	"encoding/binary"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func main() {
	for key := int16(0); key <= kmsg.MaxKey; key++ {
		req := kmsg.RequestForKey(key)
		if req == nil {
			continue
		}
		for version := int16(0); version <= req.MaxVersion(); version++ {
			req.SetVersion(version)
			frame := kmsg.NewRequestFormatter().AppendRequest(nil, req, 1)
			if size := int(binary.BigEndian.Uint32(frame)); size != len(frame)-4 {
				fmt.Printf("%s v%d: size field %d before %d bytes, body %d bytes\n",
					kmsg.NameForKey(key), version, size, len(frame)-4, len(req.AppendTo(nil)))
			}
		}
	}
}
GO
go get github.com/twmb/franz-go/pkg/kmsg@v1.15.0 >/dev/null 2>&1
got=$(go run .)
expected='ControlledShutdown v0: size field 0 before 8 bytes, body 4 bytes'
printf '%s\n' "$got"
[ "$got" = "$expected" ] || { printf 'changed; it was: %s\n' "$expected" >&2; exit 1; }
