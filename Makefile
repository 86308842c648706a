# What people and CI call. Each target does one thing that can also be typed.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

CHART := charts/ado-operator
CONTROLPLANE := tests/controlplane
GO_MODULES := $(CONTROLPLANE) $(CONTROLPLANE)/verdict
# The settings that $(CONTROLPLANE)/build compiles with: with others, Go would compile all of Kubernetes again.
GO := CGO_ENABLED=0 GOWORK=off GOFLAGS='-buildvcs=false -trimpath' go

# Stages of `make test`, the quick ones first. Each can be called alone: `make check-lint`.
STAGES := format controlplane chart lint rust go

.PHONY: help demo test soak bench generate $(STAGES:%=check-%)

help: ## Show this list.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

demo: check-controlplane ## Run everything together and stay until Ctrl-C; with CHECK=1 verify and end.
	cargo run --locked --example demo -- $(if $(CHECK),--check)

test: ## Check everything that a commit must pass, and print how long each stage took.
	@report=
	for stage in $(STAGES); do
	  printf '\n== %s\n' "$$stage"
	  start=$$SECONDS
	  $(MAKE) --no-print-directory "check-$$stage"
	  printf -v report '%s%-14s %5d s\n' "$$report" "$$stage" "$$((SECONDS - start))"
	done
	printf '\n%s%-14s %5d s\n' "$$report" total "$$SECONDS"

soak: check-controlplane ## Run the Rust tests with the long form of their loops.
	SOAK=1 cargo test --locked --workspace

bench: check-controlplane ## Measure, and print one JSON line per figure.
	cargo run --release --locked --example bench

generate: ## Write the generated files: crds/ and the chart's copy of it. `make test` compares them (tests/house.rs).
	cargo run --quiet --locked --bin crdgen -- crds $(CHART)/files/crds

check-format:
	cargo fmt --all --check
	@unformatted=$$(gofmt -l $(CONTROLPLANE)); [[ -z $$unformatted ]] || { echo "not formatted: $$unformatted"; exit 1; }

check-controlplane:
	@$(CONTROLPLANE)/build >/dev/null

check-chart:
	"$$($(CONTROLPLANE)/build)/helm" lint --strict --quiet $(CHART)

check-lint:
	cargo clippy --locked --workspace --all-targets -- -D warnings

check-rust:
	cargo test --locked --workspace

check-go:
	@for module in $(GO_MODULES); do $(GO) -C "$$module" vet ./...; $(GO) -C "$$module" test ./...; done
