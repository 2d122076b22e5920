# Every command a person needs. Each one is a single line here or a script in tools/, and .ci/run uses the same ones.
SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

GO       ?= go
FUZZTIME ?= 30s
export GO FUZZTIME

# tools/deps.sh puts node and npm here on machines whose own are too old.
export PATH := $(CURDIR)/.cache/bin:$(PATH)

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: ## Start a throwaway server with demonstration data
	$(GO) run ./cmd/rollcall dev

.PHONY: test
test: deps ## Run every test, with the race detector, in random order
	@tools/test.sh

.PHONY: check
check: ## Everything that CI runs: tests, lint, generated files, API, vulnerabilities
	@bash .ci/run </dev/null

.PHONY: bench
bench: ## Measure the server under load
	$(GO) run ./bench

.PHONY: bench-postgres
bench-postgres: deps ## Measure it on PostgreSQL, the database's CPU included
	$(GO) run ./bench -postgres 15

.PHONY: pgo
pgo: ## Profile the server under load, for the compiler
	@tools/pgo.sh

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (default 30s)
	@tools/fuzz.sh

.PHONY: generate
generate: ## Write the generated files again
	$(GO) generate ./...
	@tools/sqlc.sh

.PHONY: lint
lint: ## gofmt, go vet, golangci-lint and tidy module files
	@tools/lint.sh

.PHONY: fresh
fresh: ## Fail when a generated file differs from what `make generate` writes
	@tools/fresh.sh

.PHONY: openapi
openapi: deps ## Lint api/openapi.yaml
	@tools/openapi-lint.sh

.PHONY: vuln
vuln: ## Look for known vulnerabilities in what we call
	@tools/vuln.sh

.PHONY: bench-build
bench-build: ## Build every program and every benchmark without running it
	@tools/bench-build.sh

.PHONY: deps
deps: ## Install what the tests need and this machine lacks
	@tools/deps.sh

.PHONY: clean
clean: ## Remove what the other commands left behind
	rm -rf .cache bin dist rollcall
	find . -name node_modules -type d -prune -exec rm -rf {} +
	find . -name '*.test' -type f -not -path './.git/*' -delete
