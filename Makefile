# What a developer of this library runs. `make` alone lists the targets.

GO          ?= go
FUZZTIME    ?= 30s
BASE        ?= 659b910
STATICCHECK  = honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK  = golang.org/x/vuln/cmd/govulncheck@v1.9.0
PLATFORMS    = linux/amd64 linux/arm64 linux/386 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64 windows/386

# Where the processor's time goes in the simulation, which runs all of a connection: the compiler
# inlines by it (https://go.dev/doc/pgo) whenever it builds kafkaprobe. All that kafkaprobe imports is
# compiled once more for that, and checks go without. All measures of sim-speed are of the same seeds, and do
# the same: what else uses the core, or the host beneath it, only makes them slower.
PROFILE      = application/cli/kafkaprobe/default.pgo

# The race detector needs a C compiler.
CC_FOUND := $(shell command -v $(or $(CC),cc) 2>/dev/null || command -v gcc 2>/dev/null)
RACE     := $(if $(CC_FOUND),-race)

# It fails where a test prints one of its secrets, and sums up what skipped tests need.
LEAKS     = $(GO) run ./acceptance/leaks

.PHONY: help demo test tests lint fuzz corpus matrix sim storm sim-speed profile sim-verify mutants cross bare generate check-mocks rename check-rename vulncheck count words api mutate oracle field acceptance sasl-matrix version-matrix releases soak parity odd-brokers bench bench-verify bench-chart bench-growth bench-kafka

help: ## list the targets
	@sed -n 's/^##@ //p; s/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | while IFS='	' read -r t d; do \
	  if [ "$$d" ]; then printf '  make %-14s %s\n' "$$t" "$$d"; else printf '\n%s\n' "$$t"; fi; done

##@ Every day, with Go alone

demo: ## the main job on an embedded broker, step by step, with times
	@$(GO) run ./application/cli/kafkaprobe demo

test: lint tests ## lint, then every test; the summary lists what skipped tests need: openssl, proxies, a KDC

tests: ## every test
	@$(if $(RACE),,echo "no C compiler: testing without the race detector";) CGO_ENABLED=$(if $(RACE),1,0) $(LEAKS) $(GO) test -pgo=off $(RACE) -timeout 10m ./...
	@$(if $(RACE),$(LEAKS) $(GO) test -timeout 10m -run '^TestSeeds$$' ./application/sim)

lint: check-mocks ## gofmt, vet, staticcheck, mocks up to date
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not formatted:" $$unformatted; exit 1; fi
	$(GO) vet -pgo=off ./...
	$(GO) vet -tags acceptance,parity,matrix ./acceptance/...
	GOFLAGS='$(GOFLAGS) -pgo=off' $(GO) run $(STATICCHECK) -tags acceptance,parity,matrix ./...

matrix: ## the fault matrix: each kind of fault in each phase of a connection, a line each
	@$(GO) test -count=1 -v -run '^TestMatrix$$' ./acceptance/matrix 2>&1 | awk '/^ *(=== |--- PASS)/ { next } { print } \
	  /^(--- )?FAIL/ { failed = 1 } END { exit failed }'

field: ## the tests of reports from the field, a row each
	@$(GO) run ./acceptance/field

fuzz: ## every fuzz target for FUZZTIME (30s), one after another; at least 55
	@n=0; log=$$(mktemp); trap 'rm -f $$log' EXIT; for dir in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -ho '^func Fuzz[A-Za-z0-9_]*' $$dir/*_test.go | sed 's/^func //'); do \
	    n=$$((n+1)); echo "== $$dir $$f"; \
	    if $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x $$dir >$$log 2>&1; then cat $$log; \
	    else cat $$log; if grep -q '^    context deadline exceeded$$' $$log && ! grep -q 'Failing input' $$log; then \
	      echo "that is the end of FUZZTIME on a busy machine: https://go.dev/issue/75804, fixed in Go 1.27"; \
	      else failed="$$failed $$f"; fi; fi; done; done; \
	  echo "$$n fuzz targets, each for $(FUZZTIME); failed:$${failed:- none}"; \
	  [ $$n -ge 55 ] || { echo "want 55 at least"; exit 1; }; [ -z "$$failed" ]

corpus: ## after fuzz: keep in testdata/fuzz the few small inputs by which each target reaches all that those found do
	@$(GO) run ./acceptance/corpus

sim: ## SEEDS (1000000) seeds of the simulation: what a seed has on average, and the cells that are hit
	@$(GO) test -count=1 -timeout 24h -v -run '^TestSeeds$$' ./application/sim -sim.seeds $(or $(SEEDS),1000000)

sim-speed: ## steps and seeds of the simulation per second of processor time, on one core, compiled as kafkaprobe is: 60 measures
	@GOMAXPROCS=1 $(GO) test -pgo $(PROFILE) -run '^$$' -bench '^BenchmarkSeeds$$' -benchtime 2000x -count 60 ./application/sim | \
	  tee /dev/stderr | awk '/^Benchmark/ { print $$5, $$7 }' | sort -n | awk '{ seeds[NR] = $$1; steps[NR] = $$2 } \
	  function line(what, i) { printf "%-14s %d seeds/cpu-s, %d steps/cpu-s\n", what, seeds[i], steps[i] } \
	  END { line("the slowest", 1); line("the median", int((NR + 1) / 2)); line("the best", NR); exit NR < 60 }'

profile: ## what kafkaprobe is compiled by: write its default.pgo (once in a while: an old profile still helps)
	@GODEBUG=asyncpreemptoff=1 GOMAXPROCS=1 $(GO) test -run '^$$' -bench '^BenchmarkSeeds$$' -benchtime 40000x -o /dev/null -cpuprofile $(CURDIR)/$(PROFILE) ./application/sim

storm: ## 10,000 clients lose a broker and come back, as a drawing
	@$(GO) run ./application/cli/kafkaprobe sim storm --out application/cli/sim/storm.svg

mutants: ## defects of clients, and the seed by which the simulation finds each; which of them the tests of domain notice (half an hour)
	@$(GO) run ./acceptance/planted -domain

sim-verify: ## the simulation's golden traces on 64 and 32 bits, with the race detector, on 1 and 2 processors; 100,000 seeds run twice
	@for p in 1 2; do GOMAXPROCS=$$p $(GO) test -count=1 -run '^TestGolden$$' ./application/sim || exit 1; done
	@CGO_ENABLED=0 GOARCH=386 $(GO) test -count=1 -run '^TestGolden$$' ./application/sim
	@$(if $(RACE),$(GO) test -race -count=1 -run '^TestGolden$$' ./application/sim,echo "no C compiler: not with the race detector")
	@$(GO) test -count=1 -timeout 24h -v -run '^TestSameSeedSameTrace$$' ./application/sim -sim.twice 100000

##@ The source

generate: ## write the mocks
	$(GO) generate ./mocks

check-mocks: ## prove that the mocks are up to date
	@cd mocks && tmp=$$(mktemp -d) && trap 'rm -rf "$$tmp"' EXIT && \
	sed -n "/^\/\/go:generate /{s///;s|-destination=|&$$tmp/|p;}" doc.go | sh -e && \
	diff -r -x doc.go -x '*_test.go' . "$$tmp" && echo "mocks are up to date"

cross: ## build and vet for every platform
	@for p in $(PLATFORMS); do echo "== $$p"; \
	  CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -pgo=off ./... && \
	  CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) vet -pgo=off ./... || exit 1; done

rename: ## MODULE=example.org/path: give the module its owner's path
	@case "$(MODULE)" in ''|*[!A-Za-z0-9._~/-]*|/*|*/) echo "usage: make rename MODULE=example.org/path" >&2; exit 2;; esac
	@old=$$(sed -n 's/^module //p' go.mod) && \
	grep -rIl --exclude-dir=.git "^module $$old/\|\"$$old/\|\(^\|[[:space:]]\)$$old \(v[0-9]\|=>\)" . | while read -r f; do \
	  sed "s#^module $$old/#module $(MODULE)/#; s#\"$$old/#\"$(MODULE)/#g; s#\(^\|[[:space:]]\)$$old \(v[0-9]\|=>\)#\1$(MODULE) \2#g" "$$f" > "$$f.new" && \
	  cat "$$f.new" > "$$f" && rm "$$f.new" || exit 1; done && \
	$(GO) mod edit -module $(MODULE) && gofmt -w . && $(GO) generate ./mocks && $(GO) build ./... && \
	echo "module $$old is now $(MODULE)"

check-rename: ## prove that make rename works, in a copy
	.ci/rename

count: ## lines of code: shipped, by layer, tests, acceptance
	@$(GO) run ./acceptance/house count

words: ## words and names that this module does not use (DIR=folder)
	@$(GO) run ./acceptance/house words $(if $(DIR),-pkg $(DIR))

api: ## go doc -all of every public package, as a change to it is committed
	@$(GO) run ./acceptance/house api -update

mutate: ## which small changes their own tests do not notice: all of the core, 600 of what is around it (an hour; OUT=folder)
	$(GO) run ./acceptance/mutants run -n 0 -tests 1 -cache $(or $(OUT),mutants.out) domain domain/release
	$(GO) run ./acceptance/mutants run -n 600 -tests 2 -cache $(or $(OUT),mutants.out) application/broker adapters/netlink \
	  adapters/kafkacodec adapters/sasl adapters/sasl/plain adapters/sasl/scram adapters/sasl/oauthbearer adapters/sasl/gssapi

vulncheck: ## known vulnerabilities of the dependencies, by govulncheck (it needs https://vuln.go.dev, so it is no part of CI)
	$(GO) run $(GOVULNCHECK) ./...

##@ Against other software

bare: ## make demo and make test on Debian's minimum with Go (root, mmdebstrap)
	.ci/bare

oracle: ## TLS against openssl: cipher lists, revocation, private keys; prints the verdicts
	@OPENSSL=required $(GO) test -count=1 -v -run '^TestOpenSSLOracle$$' ./adapters/tls/... 2>&1 | awk '{ print } \
	  /cases on which both agree/ { cases += $$1; refusals += $$(NF-3) } /^(--- )?FAIL/ { failed = 1 } \
	  END { printf "%5d  cases on which both agree, %d of them refusals\n", cases, refusals; exit failed || cases < 3000 }'

parity: ## against kafka-python 2.0.2 and 2.3.3 (Python 3.8; PARITY=required to insist); prints the deviations
	$(GO) test -tags parity -count=1 -timeout 5m -v ./acceptance/parity

odd-brokers: ## other servers of the protocol, a row each, and their models beside them (Python 3.10, JDK 17, Maven; ODD="kfake sarama" for some: these need Go alone)
	@cd acceptance/peers && ODD="$(ODD)" $(GO) test -parallel 16 ./odd && $(GO) run ./odd $(ODD)

bench: ## beside a bare socket, the commit BASE, franz-go, sarama and kafka-go: what a request, a dial and an idle connection cost, and which targets that misses (Linux, ten minutes without other load)
	@cd acceptance/peers && $(GO) run . bench -base $(BASE)

bench-verify: ## bench three times: a target missed twice is an error
	@cd acceptance/peers && $(GO) run . bench -base $(BASE) -times 3

bench-chart: ## bench, as a drawing too
	@cd acceptance/peers && $(GO) run . bench -base $(BASE) -chart bench.svg

bench-growth: ## what requests in flight, connections and large bodies cost as they become more, as a table and a drawing
	@cd acceptance/peers && $(GO) run . growth -chart growth.svg

##@ Against real brokers (Java 17, Maven)

bench-kafka: ## beside franz-go, against a real broker of the newest release: latency, and processor time per request, for 1 and 64 in flight and for records of 1 MiB
	@cd acceptance/peers && $(GO) run . kafka

acceptance: ## all acceptance tests (also MIT Kerberos and Python 3.8; ACCEPTANCE=required to insist)
	$(LEAKS) -v $(GO) test $(RACE) -tags acceptance -count=1 -timeout 15m ./acceptance/...

sasl-matrix: ## every SASL mechanism against real brokers of eight ages and a real KDC; prints the table
	ACCEPTANCE=required $(LEAKS) -v $(GO) test -tags acceptance,matrix -count=1 -timeout 30m -run '^TestEveryLogin$$' ./acceptance

version-matrix: ## which release is it: 49 real brokers, what is said of each here and by three other libraries (Python 3.8); prints the table
	ACCEPTANCE=required $(GO) test -tags acceptance,matrix -count=1 -timeout 60m -v -run '^TestEveryVersion$$' ./acceptance/versions

releases: ## brokers of 36 releases of Kafka, alone and secured: each starts, serves and ends (half an hour, 800 MB of jars)
	ACCEPTANCE=required $(GO) test -tags acceptance,matrix -count=1 -timeout 90m -v -run '^TestEvery(Release|SecuredBroker)$$' ./acceptance

soak: ## SOAK (1h) of mixed load on a real broker through every fault, a line a minute; at the end all counts and records agree (SEED= repeats a load)
	ACCEPTANCE=required $(LEAKS) -v $(GO) test $(RACE) -tags acceptance,matrix -count=1 -timeout 24h -v -run '^TestSoak$$' ./acceptance/soak \
	  -soak.for $(or $(SOAK),1h) $(if $(SEED),-soak.seed $(SEED))
