# A thin convenience over the CMake presets; CMakeLists.txt is the build.
.PHONY: help demo test deps build dev release asan tsan fuzz soak bench deb packages-test install clean

PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
# One target, or all. What they find is kept, also when build/ goes.
FUZZ ?= *
FUZZ_CORPUS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/identityd-fuzz

help:
	@echo 'make demo [KEEP=1]  install what is missing, build, show it at work (root)'
	@echo 'make test           install what is missing, build, run every test (root)'
	@echo 'make deps           only install what is missing (root)'
	@echo 'make build          dev build in build/dev; also: release, asan, tsan'
	@echo 'make fuzz [FUZZ=NAME]  every fuzz target, or one, for FUZZ_SECONDS (60)'
	@echo 'make soak           20,000 requests for each way to lose one, with every HAProxy (root)'
	@echo '                    and 100,000 connections through the kernel, 500,000 verdicts (root)'
	@echo 'make bench          measure; some 15 minutes, BENCH=quick 2 (root)'
	@echo 'make install        the release build; PREFIX=/usr/local, DESTDIR='
	@echo 'make deb            the Debian package, in build/deb'
	@echo 'make packages-test  package, image and manifests, for real; some minutes (root)'
	@echo 'make clean          remove build/'

# Without a terminal that shows one line of progress, the build says nothing.
demo:
	@scripts/install-deps build demo
	@echo 'building ...'
	@cmake --preset release >/dev/null
	@if [ -t 1 ]; then quiet=; else quiet=--quiet; fi; cmake --build --preset release -- $$quiet
	@BUILD=build/release KEEP=$(KEEP) examples/demo/run

test:
	@scripts/install-deps
	@scripts/fetch-haproxy >/dev/null
	@tests/run

deps:
	@scripts/install-deps

build: dev

dev release asan tsan:
	cmake --preset $@
	cmake --build --preset $@

fuzz:
	cmake --preset fuzz
	cmake --build --preset fuzz
	@set -e; for target in build/fuzz/tests/fuzz_$(FUZZ); do \
		[ -d "$$target" ] && continue; \
		name=$${target##*/fuzz_}; echo "== $$name"; mkdir -p $(FUZZ_CORPUS)/$$name; \
		"$$target" -max_total_time=$(FUZZ_SECONDS) -print_final_stats=1 \
			-artifact_prefix=$(FUZZ_CORPUS)/$$name- \
			$(FUZZ_CORPUS)/$$name tests/fuzz/corpus/$$name; \
	done
	@# What is in tests with one seed, here with another: SPOP in C against SPOP in Python.
	@[ '$(FUZZ)' != '*' ] || python3 tests/e2e/spop_differential.py \
		build/fuzz/tests/spop_echo 200000 $$(date +%s)

soak: release
	@scripts/install-deps
	@tests/soak $(SOAK)
	cmake --preset dev && cmake --build --preset dev --target unit_bpfmap
	@IDENTITYD_SOAK=100000 CK_RUN_SUITE=bpfmap/edge.bpf build/dev/tests/unit_bpfmap
	@IDENTITYD_SOAK=100000 CK_RUN_SUITE=bpfmap/equivalence build/dev/tests/unit_bpfmap

bench:
	@scripts/install-deps build demo test bench
	@scripts/fetch-haproxy >/dev/null
	@cmake --preset bench >/dev/null
	@cmake --build --preset bench
	@cmake --preset dev >/dev/null
	@cmake --build --preset dev --target bench_policy bench_kernel
	@status=0; tests/bench/run.py || status=1; \
		tests/bench/operate.py || status=1; \
		build/dev/tests/bench_policy || status=1; \
		build/dev/tests/bench_kernel || status=1; \
		tests/bench/over_kill.py || status=1; exit $$status

# The units name the programs by their whole paths, so the prefix is known at configuration.
install:
	cmake --preset release -DCMAKE_INSTALL_PREFIX=$(PREFIX)
	cmake --build --preset release
	cmake --install build/release

# In a Debian of its own and with images of its own; some minutes.
packages-test: deb
	@scripts/install-deps build deb test packages
	tests/packages/run build/deb $(PACKAGES)

deb:
	@scripts/install-deps build deb
	cmake --preset deb
	cmake --build --preset deb
	cd build/deb && cpack

clean:
	rm -rf build
