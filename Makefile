# SPDX-FileCopyrightText: 2026 The v6native authors
# SPDX-License-Identifier: Apache-2.0
#
# sudo make lab     set up, build the lab, run the main job in it, print what works
# sudo make test    set up, run the whole test suite at a reduced count (under 20 minutes)
# make help         the rest

SHELL = /bin/sh
PYTHON = .venv/bin/python
OBJECT_DIR = src/v6native/dataplane/objects
OBJECTS = $(patsubst bpf/%.bpf.c,$(OBJECT_DIR)/%.bpf.o,$(wildcard bpf/*.bpf.c))

CLANG ?= clang
LLVM_STRIP ?= llvm-strip
# The kernel's <asm/types.h> lies in the multiarch folder, which `-target bpf` does not search.
MULTIARCH = $(shell $(CLANG) -print-target-triple 2>/dev/null | sed 's/-pc-/-/;s/-unknown-/-/')
BPF_CFLAGS = -O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Werror -I/usr/include/$(MULTIARCH)

.PHONY: help setup packages venv objects lab test nightly mutants fuzz bench bench-docs bench-objects wheel test-kernel lint format clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^## //p' Makefile

## setup         Debian packages, .venv with v6native in it, the BPF objects
setup: packages venv
	@$(MAKE) --no-print-directory objects
	@echo "Set up: .venv/bin/v6native"

packages:
	@sh setup/packages.sh setup/packages.txt

venv: packages
	@sh setup/venv.sh

## objects       only the BPF objects, bpf/*.bpf.c to src/v6native/dataplane/objects/
objects: $(OBJECTS)
	@:

$(OBJECT_DIR)/%.bpf.o: bpf/%.bpf.c $(wildcard bpf/*.h) Makefile
	@sh setup/object.sh $@ $(CLANG) $(BPF_CFLAGS) -c $< -o $@

## lab           set up, build the lab, run the main job in it, print what works (root)
lab: setup
	@sh setup/lab.sh

## test          set up, then every test at a reduced count (root; under 20 minutes)
test: setup
	@sh setup/tests.sh fast

## nightly       set up, then every test at the full count (root)
nightly: setup
	@sh setup/tests.sh nightly

## mutants       breaks the translator at 32 points in a copy, each of which must turn a test red (root; some minutes)
mutants: setup
	@sh setup/tests.sh mutants

## fuzz          the DNS64's parsers under a fuzzer for ten minutes, then 10 million random datagrams (no root)
fuzz: venv
	@sh setup/fuzz.sh

## bench         what translation costs, beside plain forwarding, TAYGA and the kernel's NAT44 (root)
bench: setup bench-objects
	@sh setup/bench.sh

## bench-docs    the same at full length, written into docs/performance.md with its plots (root)
bench-docs: setup bench-objects
	@sh setup/bench.sh docs

bench-objects: build/bench/generator.bpf.o
	@:

build/bench/%.bpf.o: bench/%.bpf.c Makefile
	@sh setup/object.sh $@ $(CLANG) $(BPF_CFLAGS) -c $< -o $@

## wheel         dist/*.whl with the BPF objects inside
wheel: setup
	@sh setup/wheel.sh

## test-kernel   the objects, some packet pairs and a download on Debian 12's own kernel, in qemu (root)
test-kernel: setup
	@sh setup/packages.sh setup/packages-kernel.txt
	@sh setup/tests.sh kernel

## lint          the same linters that `make test` runs
lint: venv
	@sh setup/tests.sh lint

## format        puts Python and C into the project's style
format: venv
	@sh setup/tests.sh format

## clean         what was built; .venv too
clean:
	rm -rf build dist .venv $(OBJECT_DIR)
