# Every command a developer needs. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# What a node needs besides Python, as Debian names it; and what only the tests start.
PACKAGES := containerd runc containernetworking-plugins iptables nftables conntrack iproute2 procps kmod \
	python3-venv buildah skopeo busybox-static catatonit
TEST_PACKAGES := etcd-server etcd-client crun dbus-daemon

# The oldest kubectl that tests run, as Debian has it: unpacked aside, for it must not replace a newer one.
OLD_KUBECTL := .cache/kubernetes-client

# Installs those of some packages that are missing, and kubectl where there is none.
define install
missing=$$(for package in $(1) $$(command -v kubectl >/dev/null || echo kubernetes-client); do dpkg -s $$package >/dev/null 2>&1 || echo $$package; done); \
if [ -n "$$missing" ]; then \
	[ "$$(id -u)" = 0 ] || { echo "run this as root once, it installs:" $$missing >&2; exit 1; }; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qqy --no-install-recommends $$missing; \
fi
endef

.PHONY: help packages test-packages setup demo up down check test second-kernel fuzz bench

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

packages: ## install the system packages that are missing (Debian, as root)
	@$(call install,$(PACKAGES))

test-packages: packages
	@$(call install,$(TEST_PACKAGES))
	@[ -d $(OLD_KUBECTL) ] || { mkdir -p .cache && cd .cache && \
		{ apt-get -o APT::Sandbox::User=root download -qq kubernetes-client || { apt-get update -qq && apt-get -o APT::Sandbox::User=root download -qq kubernetes-client; }; } && \
		dpkg -x kubernetes-client_*.deb $(notdir $(OLD_KUBECTL)) && rm -f kubernetes-client_*.deb; } || \
		echo "no kubernetes-client to be had: the tests leave the oldest kubectl out" >&2

setup: $(VENV)/.installed ## make the Python environment from the lock file

$(VENV)/.installed: requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

demo: packages setup ## a cluster, and an application on it, step by step (as root)
	@$(BIN)/python examples/demo.py

up: packages setup ## a cluster of one node (as root)
	@$(BIN)/pilothouse up

down: setup ## remove that cluster and every trace of it
	@$(BIN)/pilothouse down --delete

check: setup ## format, lint, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: test-packages setup ## all tests
	$(BIN)/pytest -q

second-kernel: setup ## the node's tests on cgroup v2 and with NFS, in QEMU (as root): make second-kernel TESTS=tests/linux
	@$(call install,qemu-system-x86 debootstrap e2fsprogs)
	@$(BIN)/python tools/second_kernel.py $(TESTS)

fuzz: setup ## bad input, other and more than CI sends: make fuzz EXAMPLES=1000 SEED=word
	$(BIN)/pytest -q tests/apiserver/test_bad_bodies.py tests/net/test_bad_input.py \
		tests/net/test_http2_bad_input.py --examples $(or $(EXAMPLES),300) --from "$(or $(SEED),$(shell date +%s))"

.PHONY: long-line
long-line: test-packages setup ## a log line of a gigabyte, written by a container and read back (as root)
	$(BIN)/pytest -q tests/kubelet/test_faults_on_containerd.py -k endless --line-megabytes $(or $(MEGABYTES),1024)

bench: setup ## CPU per operation of every hot path, and a profile of the worst
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script; done
