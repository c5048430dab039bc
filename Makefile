# What a developer of this library runs. `make` alone lists the targets.

GO          ?= go
FUZZTIME    ?= 10s
STATICCHECK  = honnef.co/go/tools/cmd/staticcheck@v0.8.2
PLATFORMS    = linux/amd64 linux/arm64 linux/386 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 windows/386

# The race detector needs a C compiler.
CC_FOUND := $(shell command -v $(or $(CC),cc) 2>/dev/null || command -v gcc 2>/dev/null)
RACE     := $(if $(CC_FOUND),-race)

# Whatever the tests print is looked through for their secrets.
LEAKS     = $(GO) run ./acceptance/leaks

.PHONY: help demo test lint generate check-mocks cross fuzz oracle acceptance sasl-matrix version-matrix releases parity rename

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | while IFS='	' read -r t d; do printf '  make %-14s %s\n' "$$t" "$$d"; done

demo: ## the main job on an embedded broker, step by step, with times
	@$(GO) run ./application/cli/kafkaprobe demo

test: lint ## all that needs nothing but Go: lint, then every test (those against openssl, proxies and a KDC where they are there)
	@$(if $(RACE),,echo "no C compiler: testing without the race detector";) CGO_ENABLED=$(if $(RACE),1,0) $(LEAKS) $(GO) test $(RACE) -timeout 10m ./...

lint: check-mocks ## gofmt, vet, staticcheck, mocks up to date
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not formatted:" $$unformatted; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags acceptance,parity,matrix ./acceptance/...
	$(GO) run $(STATICCHECK) -tags acceptance,parity,matrix ./...

generate: ## make the mocks anew
	$(GO) generate ./mocks

check-mocks: ## prove that the mocks are up to date
	@cd mocks && tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && \
	sed -n "/^\/\/go:generate /{s///;s|-destination=|&$$tmp/|p;}" doc.go | sh -e && \
	diff -r -x doc.go -x '*_test.go' . "$$tmp" && echo "mocks are up to date"

cross: ## build and vet for every platform
	@for p in $(PLATFORMS); do echo "== $$p"; \
	  CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build ./... && \
	  CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) vet ./... || exit 1; done

fuzz: ## every fuzz target for FUZZTIME (10s)
	@grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do \
	  for f in $$(grep -ho '^func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go | sed 's/^func //'); do \
	    echo "== $$dir $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x $$dir || exit 1; done; done

acceptance: ## against real brokers (Java, Maven, MIT Kerberos, Python 3.8; ACCEPTANCE=required to insist)
	$(LEAKS) -v $(GO) test $(RACE) -tags acceptance -count=1 -timeout 15m ./acceptance/...

oracle: ## TLS against openssl: cipher lists, revocation, private keys; prints the verdicts
	OPENSSL=required $(GO) test -count=1 -v -run '^TestOpenSSLOracle$$' ./adapters/tls

sasl-matrix: ## every SASL mechanism against real brokers of eight ages and a real KDC; prints the table
	ACCEPTANCE=required $(LEAKS) -v $(GO) test -tags acceptance,matrix -count=1 -timeout 30m -run '^TestEveryLogin$$' ./acceptance

version-matrix: ## which release is it: 49 real brokers, what is said of each here and by three other libraries (Python 3.8); prints the table
	ACCEPTANCE=required $(GO) test -tags acceptance,matrix -count=1 -timeout 60m -v -run '^TestEveryVersion$$' ./acceptance/versions

releases: ## brokers of 36 releases of Kafka, alone and secured: each starts, serves and ends (half an hour, 800 MB of jars)
	ACCEPTANCE=required $(GO) test -tags acceptance,matrix -count=1 -timeout 90m -v -run '^TestEvery(Release|SecuredBroker)$$' ./acceptance

parity: ## against kafka-python 2.0.2 and 2.3.3 (Python 3.8; PARITY=required to insist); prints the deviations
	$(GO) test -tags parity -count=1 -timeout 5m -v ./acceptance/parity

rename: ## MODULE=example.org/x: give the module its owner's path
	@case "$(MODULE)" in ''|*[!A-Za-z0-9._~/-]*|/*|*/) echo "usage: make rename MODULE=example.org/path" >&2; exit 2;; esac
	@old=$$(sed -n 's/^module //p' go.mod) && \
	find . -name '*.go' -not -path './.*' -exec grep -l "\"$$old/" {} + | while read -r f; do \
	  sed "s#\"$$old/#\"$(MODULE)/#g" "$$f" > "$$f.new" && mv "$$f.new" "$$f" || exit 1; done && \
	sed "s#\"$$old/#\"$(MODULE)/#g; s#\(require\|replace\) $$old #\1 $(MODULE) #g" README.md > README.new && mv README.new README.md && \
	$(GO) mod edit -module $(MODULE) && gofmt -w . && $(GO) generate ./mocks && $(GO) build ./... && \
	echo "module $$old is now $(MODULE)"
