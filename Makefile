# The front door of leat. Every target works as the first command after a clone:
# tools/setup installs what is missing, Meson builds in build/release.

DIR ?= /usr/share

# The system's own Meson and Ninja come before what a version manager puts in
# PATH; looked up when they are used, as the set-up may just have installed them.
meson = "$$(command -v /usr/bin/meson || echo meson)"
ninja = "$$(command -v /usr/bin/ninja || echo ninja)"

.PHONY: all run test bench bench-full install clean help setup
.DEFAULT_GOAL := all

all: build/release/build.ninja ## build the library, and the programs in build/bin
	@$(ninja) -C build/release --quiet
	@mkdir -p build/bin
	@for dir in programs/*/; do \
	    name=$$(basename $$dir); \
	    if [ -x build/release/programs/$$name/$$name ]; then \
	        ln -sfn ../release/programs/$$name/$$name build/bin/$$name; \
	    fi; \
	done

# Exit status 1 says that some files could not be read; each has had its line.
run: all ## build, and digest every file under DIR=/usr/share
	@test -d "$(DIR)" || { echo "leat: $(DIR) is not a directory" >&2; exit 1; }
	@build/bin/digest --summary "$(DIR)" >build/digest.md5 || test $$? -eq 1

test: ## build and run every test in every variant
	@tools/setup test
	@tests/run

bench: all ## measure leat and its peers side by side: a subset, some six minutes (BENCH=options)
	@tools/setup bench
	@$(ninja) -C build/release --quiet bench
	@bench/compare $(BENCH)

bench-full: all ## the same with all benchmarks
	@tools/setup bench
	@$(ninja) -C build/release --quiet bench
	@bench/compare --full $(BENCH)

install: all ## install under PREFIX=/usr/local (and below DESTDIR)
	@$(meson) configure build/release -Dsanitized=$(if $(filter no,$(SANITIZED)),false,true) $(if $(PREFIX),--prefix "$(PREFIX)")
	@$(ninja) -C build/release >build/configure.log || { cat build/configure.log; exit 1; }
	@DESTDIR="$(abspath $(DESTDIR))" $(meson) install -C build/release --no-rebuild --quiet
	@test -n "$(DESTDIR)" || PATH="$$PATH:/sbin" ldconfig 2>/dev/null || true

clean: ## remove everything that was built
	rm -rf build

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | \
	    while IFS='|' read -r target text; do printf 'make %-10s %s\n' "$$target" "$$text"; done

# The compiler knows where Debian keeps libraries; Meson would ask dpkg-dev,
# which a fresh machine does not have, and then guess wrong.
build/release/build.ninja: | setup
	@multiarch=$$(gcc -print-multiarch 2>/dev/null); \
	$(meson) setup build/release $${multiarch:+--libdir "lib/$$multiarch"} \
	    >build/configure.log 2>&1 || { cat build/configure.log; exit 1; }

setup:
	@tools/setup run
