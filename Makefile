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

# Stages of `make test`, the quick ones first. Each can be called alone: `make check-build`.
STAGES := format build chart rust go

# What `make image` puts into the image besides the program, and what it calls.
CA_BUNDLE := /etc/ssl/certs/ca-certificates.crt
IMAGE := ado-operator:$(shell sed -n 's/^appVersion: //p' $(CHART)/Chart.yaml)
BUILDER := docker
IMAGE_FILES := artifacts/image

.PHONY: help demo test soak bench image generate check-postgres $(STAGES:%=check-%)

help: ## Show this list.
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 12

demo: check-controlplane ## Run everything together and stay until Ctrl-C; with CHECK=1 verify and end.
	cargo run --locked --example demo -- $(if $(CHECK),--check)

test: ## Check everything that a commit must pass, and print how long each stage took.
	@report= stage= start=0
	note() { printf -v report '%s%-14s %5d s%s\n' "$$report" "$$stage" "$$((SECONDS - start))" "$${1-}"; }
	summary() {
	  [[ -z $$stage ]] || note ', not passed'
	  printf '\n%s%-14s %5d s\n' "$$report" total "$$SECONDS"
	}
	trap summary EXIT
	for stage in $(STAGES); do
	  printf '\n== %s\n' "$$stage"
	  start=$$SECONDS
	  $(MAKE) --no-print-directory "check-$$stage"
	  note
	done
	stage=

soak: check-controlplane check-postgres ## Vet the Go programs and run the Rust tests; random tests have a hundred times as many cases, processes are killed more often, and the loop that watches an idle integration lasts 1,000 intervals in place of 40.
	for module in $(GO_MODULES); do $(GO) -C "$$module" vet ./...; done
	SOAK=1 RUST_TEST_THREADS=8 cargo test --locked --workspace

bench: check-controlplane check-postgres ## Measure the released programs, and print one JSON line per figure; PARTS="fleet items idle" chooses.
	cargo build --release --locked -p ado-operator -p ado-simulator --bins
	cargo run --release --locked --example bench -- $(PARTS)

image: ## Build a container image: IMAGE=name:tag, BUILDER=docker, podman or "buildah".
	cargo build --release --locked --bin ado-operator
	program=$${CARGO_TARGET_DIR:-target}/release/ado-operator
	rm -rf $(IMAGE_FILES)
	install -D "$$program" $(IMAGE_FILES)/usr/bin/ado-operator
	install -D -m 0644 $(CA_BUNDLE) $(IMAGE_FILES)/etc/ssl/certs/ca-certificates.crt
	# The shared libraries that the program names, and its loader, each where it looks for them.
	ldd "$$program" | grep -oE '/[^ ]+' | while read -r library; do install -D "$$library" "$(IMAGE_FILES)$$library"; done
	$(BUILDER) build --tag $(IMAGE) --file Dockerfile $(IMAGE_FILES)

generate: ## Write the generated files: crds/ and the chart's copy of it. `make test` compares them (tests/house.rs).
	cargo run --quiet --locked --bin crdgen -- crds $(CHART)/files/crds

check-format:
	cargo fmt --all --check
	@unformatted=$$(gofmt -l $(CONTROLPLANE)); [[ -z $$unformatted ]] || { echo "not formatted: $$unformatted"; exit 1; }

check-controlplane:
	@$(CONTROLPLANE)/build >/dev/null

# Each set of values of the chart's folder ci; tests/cluster/chart.rs has a real apiserver accept what they render.
check-chart:
	@helm=$$($(CONTROLPLANE)/build)/helm
	for values in $(CHART)/ci/*-values.yaml; do
	  echo "$$values"
	  "$$helm" lint --strict --quiet $(CHART) --values "$$values"
	  "$$helm" template ado-operator $(CHART) --namespace ado-operator --values "$$values" >/dev/null
	done

# Lints, and compiles what the later stages need. The control plane is built meanwhile, which keeps one core busy only towards its
# end.
check-build:
	@$(CONTROLPLANE)/build >/dev/null & building=$$!
	trap 'kill "$$building" 2>/dev/null || true' EXIT
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo test --locked --workspace --no-run
	wait "$$building"
	trap - EXIT

# The tests start servers of PostgreSQL of their own (tests/support/src/postgres.rs), so Debian shall not start one as well.
check-postgres:
	@compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null || {
	  [[ $$(id -u) == 0 ]] && command -v apt-get >/dev/null || { echo "PostgreSQL is missing: install Debian's package postgresql-15" >&2; exit 1; }
	  mkdir -p /etc/postgresql-common
	  [[ -e /etc/postgresql-common/createcluster.conf ]] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
	  apt-get update
	  DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends -o Dpkg::Options::=--force-confold postgresql-15
	}

# Most of the time the tests wait for an apiserver, so more of them than there are cores run side by side.
# Behind them, for people to read, the table of the golden cases; --workspace, or cargo would compile once more, for other features.
check-rust: check-postgres
	RUST_TEST_THREADS=8 cargo test --locked --workspace
	cargo test --locked --quiet --workspace --test mapping golden -- --nocapture

# Without vet, which would analyse all of Kubernetes first, six minutes of it: `make soak` has it.
check-go:
	@for module in $(GO_MODULES); do $(GO) -C "$$module" test -vet=off ./...; done
