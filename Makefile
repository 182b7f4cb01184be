# Copyright (c) 2026 golden.fleet contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# The one interface to this tree. CI runs "make test", and so does everybody else.

.DEFAULT_GOAL := help
.NOTPARALLEL:
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

VENV := $(CURDIR)/.venv/bin
# The built collection, installed as a user installs it: what is tested through Ansible is tested there.
ARTIFACT := .cache/artifact
INSTALLED := $(ARTIFACT)/ansible_collections/golden/fleet
# Two lanes, side by side: about as long as each other.
LONG := system
SHORT := lint unit sanity integration docs-check importer molecule customize
STEPS := $(SHORT) $(LONG)
# With mounts of its own: those of another lane would be copied into each namespace that a test makes, and stay there.
APART := unshare --mount sh -ec 'mkdir -p /run/golden.fleet; mount -t tmpfs -o mode=755 tmpfs /run/golden.fleet; exec "$$@"' sh

export PATH := $(VENV):$(PATH)
export ANSIBLE_HOME := $(CURDIR)/.cache/ansible
export ANSIBLE_LOCALHOST_WARNING := false
export ANSIBLE_NOCOLOR := $(if $(CI),1,)
ARGS ?=

.PHONY: help setup test demo demo-disks lab lab-down test-lab bench artifact format clean $(STEPS)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

setup: ## install what the other targets need: Debian packages (as root), Python environments
	@tests/tools/setup.sh

test: setup ## everything that must be green, with a time for each step
	@tests/tools/steps.sh '$(SHORT)' '$(LONG)'

demo: setup ## the main job, for real: a lab of virtual machines images itself over the network
	@python -m tests.demo $(ARGS)

demo-disks: setup ## the disks alone: capture a bootable Debian, put it on two disks, boot one
	@python -m tests.demo_disks $(ARGS)

lab: setup ## a lab of virtual machines that boot over the network, apart from all other networks: docs/lab.md
	@python -m tests.lab up $(ARGS)

lab-down: ## take the lab down; its logs stay
	@python -m tests.lab down

bench: setup ## speed and memory against the usual tools (half an hour, 40 GB of free disk)
	@python -m tests.bench.run $(ARGS)

lint: ## formatting, ruff, mypy, yamllint, shellcheck, ansible-lint
	ruff format --check --quiet .
	ruff check --quiet .
	mypy --no-error-summary -p ansible_collections.golden.fleet.plugins -p ansible_collections.golden.fleet.roles -p tests.support -p tests.demo -p tests.demo_disks -p tests.lab -p tests.lab_suite -p tests.bench
	yamllint --strict .
	shellcheck .ci/run tests/tools/*.sh tests/lab/run roles/boot_env/files/image/usr/lib/golden.fleet/boot-card
	ANSIBLE_COLLECTIONS_PATH=$(CURDIR)/.cache NO_COLOR=1 ansible-lint --offline -q

unit: ## the fast tests
	python -m pytest -q tests/unit $(ARGS)

system: ## the engine on real filesystems, loop devices, nginx; a deployed image boots in QEMU
	$(APART) python -m pytest -q tests/system --ignore=tests/system/customize $(ARGS)

customize: ## deployed systems, changed before they boot: real mounts, hives, chroots, a Samba domain
	$(APART) python -m pytest -q tests/system/customize $(ARGS)

test-lab: setup ## in the lab: cables pulled, power cut, a domain joined (45 minutes; no part of make test)
	python -m pytest -q tests/lab_suite $(ARGS)

artifact: ## build the collection and install it into .cache/artifact
	@[[ -n $${ARTIFACT_IS_BUILT:-} ]] || tests/tools/artifact.sh $(ARTIFACT)

sanity: artifact ## ansible-test sanity on the built collection
	@tests/tools/ansible_test.sh $(INSTALLED) sanity $(ARGS)

integration: artifact ## the modules through Ansible, on the built collection
	@tests/tools/ansible_test.sh $(INSTALLED) integration $(ARGS)

docs-check: artifact ## documentation of plugins and roles, changelog
	antsibull-docs lint-collection-docs --plugin-docs $(INSTALLED)
	antsibull-changelog lint

importer: artifact ## what Ansible Galaxy checks on an upload
	@tests/tools/importer.sh $(ARTIFACT)

molecule: artifact ## the roles, with molecule; in the lab, a capture and a deploy over the network
	ANSIBLE_COLLECTIONS_PATH=$(CURDIR)/$(ARTIFACT) molecule test $(or $(ARGS),--all)

format: ## let ruff format and fix what it can
	ruff format .
	ruff check --fix .

clean: ## remove what was made inside this tree
	rm -rf .cache .venv build tests/output
