# nginx-ux
#
#   make            build/ngx_http_ux_module.so, build/uxctl, build/libux.a
#   make test       install what is needed, build, run everything
#   make demo       install what is needed, build, a shop with shoppers
#   make install    the module into nginx's modules directory, uxctl
#   make simulate   false winners, power and coverage of the statistics
#   make check-asan the suite with nginx and the module under ASan and UBSan
#   make check-valgrind  a good part of the suite under valgrind's memcheck
#   make check-faults  kills, stops, reloads and upgrades under load, at length;
#                   NIGHTLY=1 takes hours, GOALS='3 4' some of them
#   make check-mutations  each rule taken out in turn: do its tests fail?
#                   MUTATIONS='B05 R' tries some
#   make check-static    cppcheck, clang-tidy and clang's analyzer
#   make check-coverage  lines and branches of the module that the suite runs,
#                   >= 95 % and 85 %
#   make bench      what a request costs, beside nginx's own and Lua; QUICK=1
#                   for the instructions alone
#   make soak       REQUESTS=10000000 of a shop, and all that may happen to it
#   make fuzz       RUNS=2000000 inputs for each reader of foreign bytes
#   make check-msan  the same readers under clang's MemorySanitizer, which
#                   tells values nobody wrote: RUNS=200000 inputs
#   make check-fuzz-coverage  lines of each reader that RUNS=200000 inputs of
#                   its fuzzer run, and which they do not; below 95 % it fails
#   make script     conf-examples/ux.js from its commented form
#   make libraries  npm packages of the page, which `make` looks for, too, and
#                   does without: NPM=none does not look
#   make web-vitals axe-core   npm packages of the tests in a browser
#   make style      the house rules a machine can see
#   make stats      lengths of functions
#
# NGINX_SRC may name an nginx source tree; without it Debian's nginx-dev is
# used.  DEPS=no leaves installing packages to you.

BUILD     = build
NGINX_DEV = /usr/share/nginx/src
NGINX_SRC =
DEPS      = yes
JOBS      = $(shell nproc 2>/dev/null || echo 2)
DESTDIR   =
MODULES   = /usr/lib/nginx/modules
BINDIR    = /usr/local/bin
SIMULATE  =
RUNS      = 2000000
REQUESTS  = 10000000
GOALS     =
MUTATIONS =
QUICK     =
NPM       = npm

CC        = gcc
SANITIZE  =
STRICT    = -std=c11 -D_GNU_SOURCE -O2 -g -fPIC -Wall -Wextra -Wconversion \
            -Wsign-conversion -Werror $(SANITIZE)
LIBS      = -lxxhash -lcjson -lcrypto -lnifticdf -lm
APR_CFLAGS = $(shell pkg-config --cflags apr-1)
APR_LIBS   = $(shell pkg-config --libs apr-1)

SRCS      = $(wildcard src/*.c)
HEADERS   = $(wildcard src/*.h)
OBJS      = $(SRCS:src/%.c=$(BUILD)/core/%.o)
CLI       = $(wildcard src/cli/*.c)
GLUE      = $(wildcard ngx_module/*.c ngx_module/*.h) ngx_module/exports.map \
            ngx_module/assets.sh
WEB       = $(wildcard src/web/*)
UNITS     = $(patsubst t/unit/%.c,$(BUILD)/t/%,$(wildcard t/unit/*.c))
TESTS     = $(filter $(BUILD)/t/test_%,$(UNITS))

# FUZZ_CC=clang takes libFuzzer instead of our own driver; give it a BUILD of
# its own.
FUZZ_CC   = gcc
FUZZ_FLAGS = -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
            -fno-sanitize-recover=all
FUZZ_TRACE = -fsanitize-coverage=trace-pc
FUZZ_DRIVER = $(BUILD)/fuzz/driver.o $(BUILD)/fuzz/mutate.o
FUZZ_LINK  =
FUZZ_FOUND =
FUZZERS   = $(patsubst t/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard t/fuzz/fuzz_*.c))

ifneq ($(findstring clang,$(FUZZ_CC)),)
FUZZ_TRACE = -fsanitize=fuzzer-no-link -Wno-error
FUZZ_DRIVER =
FUZZ_LINK  = -fsanitize=fuzzer
FUZZ_FOUND = --found
endif

PACKAGES  = gcc libc6-dev pkg-config perl python3 nginx nginx-dev \
            libxxhash-dev libcjson-dev libapr1-dev libssl-dev libnifticdf-dev
# nginx's own optional helpers are not needed for anything here
APT       = apt-get install -y -qq --no-install-recommends


.PHONY: all deps test demo simulate install clean style stats check-asan units
.PHONY: check-static check-coverage soak load
.PHONY: check-valgrind check-msan check-faults check-mutations fuzz fuzzers
.PHONY: check-fuzz-coverage
.PHONY: script libraries web-vitals axe-core
.PHONY: bench bench-programs

all: $(BUILD)/ngx_http_ux_module.so $(BUILD)/uxctl $(BUILD)/libux.a


$(BUILD)/core/%.o: src/%.c $(HEADERS) Makefile
	@mkdir -p $(@D)
	$(CC) $(STRICT) $(APR_CFLAGS) -c -o $@ $<

$(BUILD)/libux.a: $(OBJS)
	@rm -f $@
	ar rcs $@ $(OBJS)

$(BUILD)/uxctl: $(CLI) $(wildcard src/cli/*.h) $(BUILD)/libux.a
	$(CC) $(STRICT) $(APR_CFLAGS) -Isrc -o $@ $(CLI) $(BUILD)/libux.a \
	    $(LIBS) $(APR_LIBS)

$(BUILD)/t/%: t/unit/%.c $(wildcard t/unit/*.h) $(BUILD)/libux.a
	@mkdir -p $(@D)
	$(CC) $(STRICT) -Isrc -It/unit -o $@ $< $(BUILD)/libux.a $(LIBS) \
	    $(APR_LIBS) -lpthread

units: $(UNITS)

$(BUILD)/load/ux_load: $(wildcard t/load/*.c) $(wildcard t/load/*.h)
	@mkdir -p $(@D)
	$(CC) $(STRICT) -It/load -o $@ $(wildcard t/load/*.c)

load: $(BUILD)/load/ux_load

$(BUILD)/bench/ux_micro: $(wildcard t/bench/*.[ch]) $(wildcard t/unit/*.h) \
    $(BUILD)/libux.a
	@mkdir -p $(@D)
	$(CC) $(STRICT) -Wno-unused-variable -Isrc -It/unit -It/bench -o $@ \
	    $(wildcard t/bench/*.c) \
	    $(BUILD)/libux.a $(LIBS) $(APR_LIBS) -lpthread

bench-programs: $(BUILD)/bench/ux_micro


# Core and commands once more, under sanitizers and with edges that report.

FUZZ_COMPILE = $(FUZZ_CC) $(STRICT) $(FUZZ_FLAGS)

$(BUILD)/fuzz/core/%.o: src/%.c $(HEADERS) Makefile
	@mkdir -p $(@D)
	$(FUZZ_COMPILE) $(FUZZ_TRACE) $(APR_CFLAGS) -c -o $@ $<

$(BUILD)/fuzz/cli/%.o: src/cli/%.c $(HEADERS) $(wildcard src/cli/*.h) Makefile
	@mkdir -p $(@D)
	$(FUZZ_COMPILE) $(FUZZ_TRACE) $(APR_CFLAGS) -Dmain=uxctl_main -c -o $@ $<

$(BUILD)/fuzz/libux.a: $(SRCS:src/%.c=$(BUILD)/fuzz/core/%.o) \
    $(CLI:src/cli/%.c=$(BUILD)/fuzz/cli/%.o)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/fuzz/driver.o $(BUILD)/fuzz/mutate.o: $(BUILD)/fuzz/%.o: \
    t/fuzz/%.c t/fuzz/driver.h t/fuzz/fuzz.h Makefile
	@mkdir -p $(@D)
	$(FUZZ_COMPILE) -Isrc -c -o $@ $<

$(BUILD)/fuzz/override_next.inc: ngx_module/ngx_http_ux_variant.c
	@mkdir -p $(@D)
	sed -n '/^ngx_http_ux_override_next(/,/^}/p' $< >$@

$(BUILD)/fuzz/fuzz_%: t/fuzz/fuzz_%.c t/fuzz/fuzz.h $(FUZZ_DRIVER) \
    $(BUILD)/fuzz/override_next.inc $(BUILD)/fuzz/libux.a
	$(FUZZ_COMPILE) $(FUZZ_TRACE) $(FUZZ_LINK) $(APR_CFLAGS) -Isrc -Isrc/cli \
	    -I$(BUILD)/fuzz -o $@ $< $(FUZZ_DRIVER) $(BUILD)/fuzz/libux.a \
	    $(LIBS) $(APR_LIBS) -lpthread

fuzzers: $(FUZZERS)


script:
	perl -0pe 's{^\s*//.*\n}{}mg; s/^\s+//mg; s/\n//g; \
	    s/\s*([-+*=<>&|?:;,(){}\[\]!])\s*/$$1/g' \
	    conf-examples/ux.src.js >conf-examples/ux.js


# From the registry npm is set up with; nothing of them is in here but their
# names, versions and sums.  uPlot draws the page's charts, idiomorph updates it
# in place; web-vitals and axe-core are for tests.

UPLOT          = 1.6.32
UPLOT_SUM      = \
    4b8a8191e425658e3ea8c8c1314b0fc679c861ee3a1af2b20c7b16ba50b5133d
IDIOMORPH      = 0.8.0
IDIOMORPH_SUM  = \
    c2b48584153f0167b5c98cb815576338ccd82a97378e53fbf29d139dfd67207e
WEB_VITALS     = 6.2.3
WEB_VITALS_SUM = \
    0345c05eceae57e921485b0696ab979ef559f3c3dda56abad6ad8145e399a262
AXE_CORE       = 4.14.1
AXE_CORE_SUM   = \
    e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745

# name, version, sum: unless it is there
npm_sum  = echo '$(strip $(3))  $(BUILD)/npm/$(1)-$(2).tgz' | sha256sum -c
npm_pack = mkdir -p $(BUILD)/npm; $(npm_sum) --status 2>/dev/null \
    || { (cd $(BUILD)/npm && $(NPM) pack --silent --fetch-retries=0 \
              --fetch-timeout=30000 $(1)@$(2)); $(npm_sum); }

# name, version, path in the package
npm_file = tar -xzOf $(BUILD)/npm/$(1)-$(2).tgz package/$(3)

web-vitals: $(BUILD)/web-vitals.js
axe-core: $(BUILD)/axe.js

$(BUILD)/web-vitals.js: Makefile
	$(call npm_pack,web-vitals,$(WEB_VITALS),$(WEB_VITALS_SUM))
	$(call npm_file,web-vitals,$(WEB_VITALS),dist/web-vitals.iife.js) >$@.new
	mv $@.new $@

$(BUILD)/axe.js: Makefile
	$(call npm_pack,axe-core,$(AXE_CORE),$(AXE_CORE_SUM))
	$(call npm_file,axe-core,$(AXE_CORE),axe.min.js) >$@.new
	mv $@.new $@


# The licences go with them; the sheet's is the script's.

libraries:
	$(call npm_pack,uplot,$(UPLOT),$(UPLOT_SUM))
	$(call npm_pack,idiomorph,$(IDIOMORPH),$(IDIOMORPH_SUM))
	@mkdir -p $(BUILD)/libraries
	@set -e; cd $(BUILD)/libraries; \
	licence() { echo '/*!'; echo " * $$1"; echo ' *'; \
	    tar -xzOf ../npm/$$2.tgz package/LICENSE | sed 's/^/ * /; s/ *$$//'; \
	    echo ' */'; }; \
	{ licence 'uPlot $(UPLOT)' uplot-$(UPLOT); \
	  tar -xzOf ../npm/uplot-$(UPLOT).tgz package/dist/uPlot.iife.min.js; \
	} >uplot.js.new; \
	{ echo '/*! uPlot $(UPLOT), MIT: see page.js */'; \
	  tar -xzOf ../npm/uplot-$(UPLOT).tgz package/dist/uPlot.min.css; \
	} >uplot.css.new; \
	{ licence 'idiomorph $(IDIOMORPH)' idiomorph-$(IDIOMORPH); \
	  tar -xzOf ../npm/idiomorph-$(IDIOMORPH).tgz \
	      package/dist/idiomorph.min.js; \
	} >idiomorph.js.new; \
	for f in uplot.js uplot.css idiomorph.js; do mv $$f.new $$f; done; \
	touch tried

# Not there: the page does without, and says so when it is built.

$(BUILD)/libraries/tried: Makefile
	@mkdir -p $(@D)
	@$(MAKE) --no-print-directory libraries >/dev/null 2>&1 \
	    || { rm -f $(@D)/*.js $(@D)/*.css; \
	         echo 'no npm packages: a page without charts (make libraries)'; }
	@touch $@


# nginx's configure writes where it stands, so it stands in a copy

$(BUILD)/ngx_http_ux_module.so: $(SRCS) $(HEADERS) $(GLUE) $(WEB) config Makefile \
    $(BUILD)/libraries/tried
	@mkdir -p $(BUILD)
	NGINX_SRC='$(NGINX_SRC)' NGINX_DEV='$(NGINX_DEV)' JOBS='$(JOBS)' \
	    SANITIZE='$(SANITIZE)' sh ngx_module/build.sh $(BUILD)


deps:
ifeq ($(DEPS),yes)
	@missing=; for p in $(PACKAGES) $(MORE_PACKAGES); do \
	    dpkg-query -W -f '$${Status}' $$p 2>/dev/null \
	        | grep -q 'ok installed' || missing="$$missing $$p"; \
	done; \
	if [ -n "$$missing" ]; then \
	    echo "installing$$missing"; \
	    export DEBIAN_FRONTEND=noninteractive; \
	    { apt-get update -qq && $(APT) $$missing; } >/dev/null || exit 1; \
	fi
endif


test: deps
	$(MAKE) -j$(JOBS) all units
	prove -r --timer t/ $(TESTS)


demo: deps
	$(MAKE) -j$(JOBS) all
	demo/run


# Some minutes; SIMULATE takes options of `uxctl simulate`.

simulate: deps
	$(MAKE) -j$(JOBS) $(BUILD)/uxctl
	$(BUILD)/uxctl simulate $(SIMULATE)


fuzz: MORE_PACKAGES = libasan8 libubsan1
fuzz: deps
	$(MAKE) -j$(JOBS) fuzzers
	perl t/fuzz/run --runs=$(RUNS) --jobs=$(JOBS) $(FUZZ_FOUND) $(FUZZERS)


# Not json and export, which read cJSON's own texts wherever they read; the
# others have them looked at by functions of the C library alone.

check-msan: MORE_PACKAGES = clang libclang-rt-dev
check-msan: deps
	MSAN_OPTIONS=intercept_strlen=0:intercept_memcmp=0:intercept_strchr=0 \
	$(MAKE) fuzz DEPS=no BUILD=build-msan FUZZ_CC=clang \
	    FUZZERS='$(patsubst $(BUILD)/%,build-msan/%, \
	        $(filter-out %_json %_export,$(FUZZERS)))' \
	    FUZZ_FLAGS='-O1 -g -fno-omit-frame-pointer -fsanitize=memory \
	        -fno-sanitize-recover=all \
	        -fsanitize-ignorelist=t/fuzz/msan.ignore' \
	    RUNS=$(if $(filter command,$(origin RUNS)),$(RUNS),200000)


check-fuzz-coverage: deps
	$(MAKE) -j$(JOBS) fuzzers DEPS=no BUILD=build-fuzz-coverage \
	    FUZZ_FLAGS='-O1 --coverage'
	t/fuzz/coverage --runs=$(if $(filter command,$(origin \
	    RUNS)),$(RUNS),200000) \
	    $(patsubst $(BUILD)/%,build-fuzz-coverage/%,$(FUZZERS))


check-valgrind: MORE_PACKAGES = valgrind libc6-dbg
check-valgrind: deps
	$(MAKE) -j$(JOBS) all units
	perl t/check-valgrind $(BUILD)


# Every instruction is stepped through as gcc makes it, and as it is written.

check-faults: deps
	$(MAKE) -j$(JOBS) all units
	$(MAKE) -j$(JOBS) BUILD=$(BUILD)/O0 SANITIZE=-O0 \
	    $(BUILD)/O0/t/test_kill $(BUILD)/O0/t/test_kill_merge
	perl t/check-faults $(BUILD) $(GOALS)


check-mutations: deps
	perl t/check-mutations --jobs=$(JOBS) $(MUTATIONS)


check-asan: MORE_PACKAGES = libasan8 libubsan1 dpkg-dev libpcre2-dev \
    zlib1g-dev libcrypt-dev
check-asan: deps
	sh t/check-asan


check-static: MORE_PACKAGES = cppcheck clang-tidy clang-tools
check-static: deps
	$(MAKE) -j$(JOBS) all
	sh t/check-static $(BUILD)


check-coverage: deps
	sh t/check-coverage


# Lua's modules are not everywhere: without them their rows are left out.

BENCH_LUA = libnginx-mod-http-lua libnginx-mod-http-ndk lua-resty-core \
            lua-resty-lrucache

bench: MORE_PACKAGES = valgrind libc6-dbg
bench: deps
ifeq ($(DEPS),yes)
	@DEBIAN_FRONTEND=noninteractive $(APT) $(BENCH_LUA) >/dev/null 2>&1 \
	    || echo "Debian's Lua modules cannot be had: without their rows"
endif
	$(MAKE) -j$(JOBS) all bench-programs
	perl t/bench/run $(if $(QUICK),--quick) $(BUILD)


soak: deps
	$(MAKE) -j$(JOBS) all load
	REQUESTS=$(REQUESTS) perl t/soak $(BUILD)


install: all
	install -d $(DESTDIR)$(MODULES) $(DESTDIR)$(BINDIR)
	install -m 644 $(BUILD)/ngx_http_ux_module.so $(DESTDIR)$(MODULES)/
	install -m 755 $(BUILD)/uxctl $(DESTDIR)$(BINDIR)/


style:
	t/house

stats:
	t/function-lengths

clean:
	rm -rf $(BUILD) build-asan build-coverage
