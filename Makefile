# Needs Go. `make help` lists the targets.
GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
COMMIT  ?= $(shell git rev-parse HEAD 2>/dev/null)
DATE    ?= $(shell git log -1 --format=%cI 2>/dev/null)
LDFLAGS  = -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(DATE)

# Flags of released binaries: the same bytes wherever they are built.
BUILDFLAGS ?= -trimpath

.PHONY: help build test race bench lint tokens generate check-generated demo inspector conformance browser peers fuzz bench-routines routine-packages routines spell clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 18

build: ## build bin/esa-mcp
	CGO_ENABLED=0 $(GO) build $(BUILDFLAGS) -ldflags "$(LDFLAGS)" -o bin/esa-mcp ./cmd/esa-mcp

test: ## run the tests
	$(GO) test ./...

race: ## run the tests under the race detector
	CGO_ENABLED=1 $(GO) test -race -timeout 20m ./...

bench: ## measure start-up, calls and deploys, as ratios
	$(GO) test -run '^$$' -bench . -benchtime 1s ./internal/... ./tools/...
	$(GO) test -run '^$$' -bench . -benchtime 20x ./cmd/esa-mcp

.PHONY: bench-edge
bench-edge: ## compare the local edge's static files with nginx (needs nginx and, to be exact, wrk)
	ESA_MCP_NGINX=1 $(GO) test -run TestStaticAgainstNginx -count 1 -v ./internal/local

.PHONY: soak
soak: ## send the local ESA what half an hour at 1,000 requests a second brings, and watch its memory
	ESA_MCP_SOAK=1 $(GO) test ./internal/local -run TestSoak -count 1 -v -timeout 40m

lint: ## vet and staticcheck
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo 'run gofmt -w'; exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

.PHONY: cross
cross: ## build for other systems, and vet what only Windows and macOS compile
	for os in linux/arm64 darwin/arm64 windows/amd64; do \
		CGO_ENABLED=0 GOOS=$${os%/*} GOARCH=$${os#*/} $(GO) build -o /dev/null ./cmd/esa-mcp || exit 1; done
	for os in darwin windows; do CGO_ENABLED=0 GOOS=$$os $(GO) vet ./... || exit 1; done

tokens: ## show what the tools cost a model, in o200k tokens, and the budgets
	@mkdir -p out
	@ESA_MCP_TOKENS=$(CURDIR)/out/tokens.txt $(GO) test ./tools -run TestTokenBudget -count 1; \
	failed=$$?; cat out/tokens.txt; exit $$failed

generate: ## make what is generated: catalogue, schemas, the README's tables, docs
	$(GO) generate ./...
	$(GO) test ./tools -run "TestSchemas|TestErrorsDocument" -update
	$(GO) test ./cmd/esa-mcp -run 'TestREADME|TestDocs' -update
	$(GO) test ./internal/local -run TestCoverageDocument -update

check-generated: generate ## fail when something generated was not committed
	git diff --exit-code

demo: ## deploy the sample site on the local ESA and keep it up
	$(GO) run ./cmd/esa-mcp demo

inspector: build ## drive the server with the MCP Inspector (needs npx)
	.ci/inspector

.PHONY: drills
drills: ## meet every writing tool with every kind of fault, at each of its operations
	ESA_MCP_DRILLS=all $(GO) test ./cmd/esa-mcp -run 'Drill' -count 1 -timeout 30m

conformance: ## run MCP's conformance suite against the HTTP server (needs npm)
	.ci/conformance

browser: ## open sites in headless Chromium (needs chromium and certutil)
	$(GO) test -tags browser -run TestBrowser -count 1 -v ./cmd/esa-mcp

peers: build ## run other ESA clients against the local ESA, unmodified (needs npm)
	.ci/peers/run

fuzz: ## run each fuzz target over some new inputs (FUZZRUNS, default 1000)
	.ci/fuzz

bench-routines: routine-packages ## compare routines with npm's workerd: requests per second, and memory (needs npm and, to be exact, wrk)
	@mkdir -p out/workerd
	npm install --ignore-scripts --no-save --no-audit --no-fund --silent --prefix out/workerd workerd@1.20261117.1
	ESA_MCP_WORKERD="$$(ls $(CURDIR)/out/workerd/node_modules/@cloudflare/workerd-*/bin/workerd)" ESA_MCP_MEMORY=1 \
		$(GO) test ./internal/local ./internal/local/runtime -p 1 -run 'TestAgainstWorkerd|TestMemoryOfManyRoutines' -count 1 -v -timeout 20m

routine-packages: ## install the npm packages that the routine runtime's tests bundle (needs npm)
	npm ci --ignore-scripts --no-audit --no-fund --silent --prefix internal/local/runtime/testdata/npm

routines: routine-packages ## run routines made of npm packages (needs npm)
	$(GO) test -count 1 -run TestRoutines ./internal/local/runtime

spell: ## check the spelling of the documents (needs npm)
	.ci/spell

clean: ## remove what was built
	rm -rf bin out
