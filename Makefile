# brevdue: what a person or CI runs. `make` alone prints this list.
#
# `demo` and `build` need Go and nothing else. `test` installs the outside programs it needs on Debian as root
# (.ci/provision) and names them elsewhere. `check` builds its two tools from source into .tools/.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Pinned tools: two that check, and the S3 server of the tests. They are installed with `go install PKG@VERSION` rather
# than `tool` lines in a module of ours: that builds each one with exactly the dependency versions its authors released
# it with, checked against Go's checksum database, and keeps their several hundred transitive modules out of our go.mod
# and go.sum.
GOLANGCI_VERSION    := v2.15.0
GOVULNCHECK_VERSION := v1.8.0
VERSITYGW_VERSION   := v1.8.0
TOOLS               := $(CURDIR)/.tools
GOLANGCI            := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)/golangci-lint
GOVULNCHECK         := $(TOOLS)/govulncheck-$(GOVULNCHECK_VERSION)/govulncheck
VERSITYGW           := $(TOOLS)/versitygw-$(VERSITYGW_VERSION)/versitygw

# Folders whose name starts with a dot are not part of ./... and are named here.
PKG      ?= ./... ./.ci/checkrefs ./.ci/sbom
# -p 2: the tests start redis, chromium and whole gateways; more packages at once only makes them wait for each other.
TESTFLAGS ?= -race -shuffle=on -timeout 20m -p 2
FUZZTIME ?= 60s
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

.PHONY: help
help: ## Print this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: demo
demo: ## Send sample letters through a gateway and a simulated far end on this machine (needs Go only)
	go run ./cmd/brevdue demo

.PHONY: build
build: ## Build bin/brevdue, static, with its version from git (needs Go only)
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/brevdue ./cmd/brevdue

.PHONY: test
test: ## Run every test with the race detector; on Debian as root it first installs what they need
	.ci/provision
	@$(MAKE) --no-print-directory $(VERSITYGW) || \
	  echo "make: no S3 server; the tests that need one are skipped (with CI=true they fail)" >&2
	CGO_ENABLED=1 go test $(TESTFLAGS) $(PKG)

.PHONY: check
check: tools ## Run everything CI checks besides the tests: generated files, format, lint, modules, vulnerabilities, sources
	.ci/generated
	.ci/gofmt
	go vet $(PKG)
	$(GOLANGCI) run $(PKG)
	go mod tidy -diff
	.ci/vulncheck $(GOVULNCHECK) ./...
	go run ./.ci/checkrefs
	.ci/forbidden
	.ci/dependencies

.PHONY: sbom
sbom: build ## Write bin/brevdue.cdx.json: what is in the binary, in CycloneDX
	go run ./.ci/sbom bin/brevdue >bin/brevdue.cdx.json

.PHONY: reproducible
reproducible: ## Build the commit twice in different folders and compare the binaries (takes minutes)
	.ci/reproducible

.PHONY: bench
bench: ## Print the table of measured speed and memory (takes minutes)
	go run ./cmd/brevdue/e2e/bench

# One seed again: make chaos SEEDS=1 SEED=4711 ENGINE=sqlite
SEEDS    ?= 30
DURATION ?= 2m
.PHONY: chaos
chaos: ## Break everything around a running gateway and check what must hold (SEEDS, SEED, DURATION, ENGINE)
	go run ./cmd/brevdue/e2e/chaos -seeds $(SEEDS) -duration $(DURATION) -seed '$(or $(SEED),0)' -engine '$(ENGINE)'

.PHONY: generate
generate: ## Write the generated files anew
	go generate ./...

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME each (default 60s; nightly)
	.ci/fuzz $(FUZZTIME)

.PHONY: fmt
fmt: tools ## Format every Go file as check expects it
	$(GOLANGCI) fmt $(PKG)

.PHONY: tools
tools: $(GOLANGCI) $(GOVULNCHECK) $(VERSITYGW) ## Build the pinned linter, vulnerability checker and S3 server into .tools/

$(GOLANGCI):
	GOBIN=$(@D) CGO_ENABLED=0 GOFLAGS= go install -trimpath github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)

$(GOVULNCHECK):
	GOBIN=$(@D) CGO_ENABLED=0 GOFLAGS= go install -trimpath golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)

$(VERSITYGW):
	GOBIN=$(@D) CGO_ENABLED=0 GOFLAGS= go install -trimpath -ldflags '-s -w' github.com/versity/versitygw/cmd/versitygw@$(VERSITYGW_VERSION)
