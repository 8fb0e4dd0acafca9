# consign: build, run, test. `make` alone says what there is.
#
# One set of rules makes every build tree: BUILD names the tree, SANITIZE=1 builds it with ASan and UBSan.

BUILD    ?= build
CC       ?= gcc
PREFIX   ?= /usr/local
DESTDIR  ?=
WERROR   ?= -Werror
SANITIZE ?=
# V=1 shows the compiler's command lines
Q        := $(if $(V),,@)

# make's built-in default is cc
ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(BUILD),build/asan)
SANITIZE := 1
endif

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wvla -Wmissing-prototypes -Wstrict-prototypes -Wformat=2 $(WERROR)
HARDENED := -O2 -g -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2
HARDLINK := -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack
ifneq ($(SANITIZE),)
HARDENED := -O1 -g -fPIE -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all -DCONSIGN_SANITIZE
HARDLINK := -pie -fsanitize=address,undefined
endif
# For libFuzzer every branch also counts; needs clang.
ifeq ($(SANITIZE),fuzzer)
HARDENED += -fsanitize=fuzzer-no-link
endif

# Third-party headers are system headers: their warnings are not ours. Found when first needed, so that
# help and deps work before anything is installed.
SYSTEM    = $(eval SYSTEM := $(patsubst -I%,-isystem %,$(shell pg_config --includedir 2>/dev/null | sed 's/^/-I/') $(shell pkg-config --cflags-only-I json-c 2>/dev/null)))$(SYSTEM)
CPPFLAGS += -D_GNU_SOURCE -Ifcgi -Itools $(SYSTEM)
CFLAGS   += -std=c11 $(WARNINGS) $(HARDENED)
LDFLAGS  += $(HARDLINK)
LDLIBS   += -lfcgi -ljson-c -lpq -lcrypto -lzstd -lz -lseccomp

ARCHIVE  := $(BUILD)/libconsign.a
PROGRAMS := $(addprefix $(BUILD)/bin/,consign-api consign-spooler consignctl jsoncheck jwsverify)

ARCHIVE_SOURCES := $(wildcard fcgi/lib/*.c fcgi/core/*.c fcgi/profile/*.c fcgi/store/*.c fcgi/export/*.c)
API_SOURCES     := $(wildcard fcgi/responder/*.c)
SPOOLER_SOURCES := $(wildcard fcgi/spooler/*.c)
CTL_SOURCES     := $(wildcard tools/consignctl/*.c)
CHECKER_SOURCES := tools/jsoncheck/main.c tools/jwsverify/main.c
UNIT_SOURCES    := $(wildcard tests/unit/test_*.c)
UNIT_HELPERS    := $(filter-out $(UNIT_SOURCES),$(wildcard tests/unit/*.c))
BENCH_SOURCES   := $(wildcard tests/bench/*.c)
FUZZ_SOURCES    := $(wildcard tests/fuzz/fuzz_*.c)
FUZZ_HELPERS    := $(filter-out $(FUZZ_SOURCES) tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c))

objects = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
UNIT_TESTS    := $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(UNIT_SOURCES))
BENCH_PROGRAMS := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(BENCH_SOURCES))
FUZZ_TARGETS  := $(patsubst tests/fuzz/fuzz_%.c,%,$(FUZZ_SOURCES))
ALL_SOURCES   := $(ARCHIVE_SOURCES) $(API_SOURCES) $(SPOOLER_SOURCES) $(CTL_SOURCES) $(CHECKER_SOURCES) \
                 $(UNIT_SOURCES) $(UNIT_HELPERS) $(BENCH_SOURCES) \
                 $(FUZZ_SOURCES) $(FUZZ_HELPERS) tests/fuzz/replay.c tests/node/write_rows.c

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: help deps all run stop test check unit replay fuzz fuzzers asan fault lint bench install clean

help:
	@echo 'make deps     install what is missing from Debian (as root; does nothing when all is there)'
	@echo 'make all      build the programs into $(BUILD)/bin'
	@echo 'make run      deps, all, then a whole stack with a demo export; leaves the stack up'
	@echo 'make stop     stop that stack'
	@echo 'make test     deps, all, then every test against a stack of its own'
	@echo 'make check    the quick part: checks of the sources and unit tests'
	@echo 'make asan     unit and integration tests built with AddressSanitizer and UBSan'
	@echo 'make fuzz     libFuzzer on every parser, CONSIGN_FUZZ_SECONDS (60) each; needs clang'
	@echo 'make fault    kill, cut and stall more than make test does'
	@echo 'make lint     warnings of gcc and clang, clang-tidy, cppcheck, shellcheck, checks'
	@echo 'make bench    measure; PARTS=engine for one part; see tests/bench/run'
	@echo 'make install  programs, SQL and nginx configuration below DESTDIR and PREFIX ($(PREFIX))'
	@echo 'make clean    remove build trees (a stack keeps its state in var)'

deps:
	@tools/deps

all: $(PROGRAMS)

# A fresh make, because what is built is found out when the Makefile is read, and deps brings the headers.
run: deps
	@$(MAKE) --no-print-directory all
	CONSIGN_BUILD=$(BUILD) tools/demo

stop:
	@tools/devstack down

test: deps
	@$(MAKE) --no-print-directory check $(BUILD)/node/write_rows
	BUILD=$(BUILD) CONSIGN_BUILD=$(BUILD) tests/run

check: all unit replay
	@for check in tools/checks/*; do CONSIGN_BUILD=$(BUILD) "$$check" || exit 1; done

# All of them run; the first failures of one do not hide another.
unit: $(UNIT_TESTS)
	@failed=; for test in $(UNIT_TESTS); do \
	    if ! "$$test" >"$$test.log" 2>&1; then cat "$$test.log"; failed="$$failed $$test"; fi; \
	done; \
	if [ -n "$$failed" ]; then echo "unit: failed:$$failed"; exit 1; fi; \
	echo 'unit: $(words $(UNIT_TESTS)) programs passed'

# The inputs that fuzzing has found worth keeping, and every one that once broke something.
replay: $(addprefix $(BUILD)/replay/,$(FUZZ_TARGETS))
	@failed=; for target in $(FUZZ_TARGETS); do \
	    if ! $(BUILD)/replay/$$target tests/fuzz/corpus/$$target >"$(BUILD)/replay/$$target.log" 2>&1; then \
	        cat "$(BUILD)/replay/$$target.log"; failed="$$failed $$target"; fi; \
	done; \
	if [ -n "$$failed" ]; then echo "replay: failed:$$failed"; exit 1; fi; \
	echo 'replay: $(words $(FUZZ_TARGETS)) targets passed'

fuzz:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang SANITIZE=fuzzer fuzzers
	@CONSIGN_FUZZERS=$(BUILD)/fuzz/fuzz tests/fuzz/run

fuzzers: $(addprefix $(BUILD)/fuzz/,$(FUZZ_TARGETS))

# What make test does by halves: more kills, more often.
fault: all $(BUILD)/node/write_rows
	BUILD=$(BUILD) CONSIGN_BUILD=$(BUILD) CONSIGN_KILLS=20 CONSIGN_ISOLATION_REQUESTS=100000 \
	    tests/run -m fault tests/integ

asan:
	@$(MAKE) --no-print-directory BUILD=build/asan SANITIZE=1 all unit replay build/asan/node/write_rows
	BUILD=build/asan CONSIGN_BUILD=build/asan tests/run

lint: all
	@CONSIGN_BUILD=$(BUILD) LINT_FLAGS='-std=c11 -O2 $(WARNINGS) $(CPPFLAGS)' tools/lint

bench: all $(BENCH_PROGRAMS)
	CONSIGN_BUILD=$(BUILD) tests/bench/run $(PARTS)

install: all
	install -d '$(DESTDIR)$(PREFIX)/sbin' '$(DESTDIR)$(PREFIX)/bin' '$(DESTDIR)$(PREFIX)/share/consign'
	install -m 755 $(BUILD)/bin/consign-api $(BUILD)/bin/consign-spooler '$(DESTDIR)$(PREFIX)/sbin'
	install -m 755 $(BUILD)/bin/consignctl '$(DESTDIR)$(PREFIX)/bin'
	cp -R sql '$(DESTDIR)$(PREFIX)/share/consign/'
	install -m 644 LICENSE '$(DESTDIR)$(PREFIX)/share/consign'
	nginx/render '$(DESTDIR)$(PREFIX)/share/consign/nginx' \
	    'PUBLIC_LISTEN=443 ssl backlog=4096' 'TLS=include consign/tls.conf;' 'RATE=include consign/rate.conf;' \
	    OPS_LISTEN=127.0.0.1:18081 API_SOCKET=/run/consign/api.sock LAKE=/var/lib/consign/lake \
	    ACCESS_LOG=/var/log/nginx/consign.log

clean:
	rm -rf build $(BUILD)

$(BUILD)/obj/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo '  $@'
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Removed first: ar would keep the members of sources that are gone.
$(ARCHIVE): $(call objects,$(ARCHIVE_SOURCES))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/bin/consign-api: $(call objects,$(API_SOURCES)) $(ARCHIVE)
$(BUILD)/bin/consign-spooler: $(call objects,$(SPOOLER_SOURCES)) $(ARCHIVE)
$(BUILD)/bin/consignctl: $(call objects,$(CTL_SOURCES)) $(ARCHIVE)
$(BUILD)/bin/jsoncheck: $(call objects,tools/jsoncheck/main.c) $(ARCHIVE)
$(BUILD)/bin/jwsverify: $(call objects,tools/jwsverify/main.c) $(ARCHIVE)
$(PROGRAMS):
	@mkdir -p $(@D)
	@echo '  $@'
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o $(call objects,$(UNIT_HELPERS)) $(ARCHIVE)
	@mkdir -p $(@D)
	@echo '  $@'
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(LDLIBS)

$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(ARCHIVE)
	@mkdir -p $(@D)
	@echo '  $@'
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Writes Parquet files from rows of JSON, for the independent readers of tests/node.
$(BUILD)/node/write_rows: $(BUILD)/obj/tests/node/write_rows.o $(call objects,tests/unit/schema_text.c) $(ARCHIVE)
	@mkdir -p $(@D)
	@echo '  $@'
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# The responder for those that include one file of it: of the rest only what they need is linked.
$(BUILD)/libresponder.a: $(call objects,$(filter-out %/main.c,$(API_SOURCES)))
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

FUZZ_OBJECTS := $(call objects,$(FUZZ_HELPERS)) $(BUILD)/libresponder.a $(ARCHIVE)

$(BUILD)/replay/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(call objects,tests/fuzz/replay.c) $(FUZZ_OBJECTS)
	@mkdir -p $(@D)
	@echo '  $@'
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lm

$(BUILD)/fuzz/%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(FUZZ_OBJECTS)
	@mkdir -p $(@D)
	@echo '  $@'
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS) -lm

-include $(patsubst %.o,%.d,$(call objects,$(ALL_SOURCES)))
