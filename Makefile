# consign: build, run, test. `make` alone says what there is.
#
# One set of rules makes every build tree: BUILD names the tree, SANITIZE=1 builds it with ASan and UBSan.

BUILD    ?= build
CC       ?= gcc
PREFIX   ?= /usr/local
DESTDIR  ?=
SYSCONFDIR ?= /etc
UNITDIR  ?= $(PREFIX)/lib/systemd/system
# of the package: the time of the commit, so that a later one is a higher one
VERSION  ?= 0.$(or $(shell git log -1 --format=%cd --date=format:%Y%m%d%H%M%S 2>/dev/null),0)
WERROR   ?= -Werror
SANITIZE ?=
# V=1 shows the compiler's command lines
Q        := $(if $(V),,@)
# How much is done at once where nobody said -j to make, and by what make does not run itself.
JOBS     ?= $(shell nproc 2>/dev/null || echo 1)
# Seen in a recipe only, where MAKEFLAGS holds a -j of the caller's, whose job server serves then.
PARALLEL  = --output-sync=target $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS))

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
# The schema that the programs are made for: the number of the newest file.
SCHEMA   := $(shell expr $(firstword $(subst _, ,$(notdir $(lastword $(sort $(wildcard sql/schema/*.sql)))))) + 0)
# Its functions and rights: the digest that migrate enters (tools/consignctl/migrate.c), over the same texts in the same order.
SQL_API  := $(sort $(wildcard sql/api/*.sql)) sql/grants.sql
CPPFLAGS += -D_GNU_SOURCE -DCONSIGN_SCHEMA=$(SCHEMA) -DCONSIGN_SQL_DIGEST='"$(firstword $(shell cat $(SQL_API) | sha256sum))"' -Ifcgi -Itools $(SYSTEM)
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
CHECKS          := $(wildcard tools/checks/*)
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
.PHONY: help deps deps-run all docs run stop test check checks unit replay fuzz fuzzers asan fault soak lint bench install deb package-test clean

help:
	@echo 'make deps     install what is missing from Debian (as root; does nothing when all is there)'
	@echo 'make all      build the programs into $(BUILD)/bin'
	@echo 'make docs     the HTML reference that nginx serves under /docs, into $(BUILD)/docs; needs npm'
	@echo 'make run      what running needs of deps, all, then a whole stack with a demo export; leaves the stack up'
	@echo 'make stop     stop that stack'
	@echo 'make test     deps, all, then every test against a stack of its own'
	@echo 'make check    the quick part: checks of the sources and unit tests'
	@echo 'make asan     unit and integration tests built with AddressSanitizer and UBSan'
	@echo 'make fuzz     libFuzzer on every parser, CONSIGN_FUZZ_SECONDS (60) each; needs clang'
	@echo 'make fault    every fault, a table of what was lost; CONSIGN_FAULT_SCALE (1) times as often, PARTS=power for one part'
	@echo 'make soak     load and a random fault a minute, for CONSIGN_SOAK_MINUTES (30)'
	@echo 'make lint     warnings of gcc and clang, clang-tidy, cppcheck, shellcheck, checks'
	@echo 'make bench    measure; PARTS=engine for one part; see tests/bench/run'
	@echo 'make install  programs, SQL, units, configuration and, if made, docs below DESTDIR, PREFIX ($(PREFIX)) and SYSCONFDIR ($(SYSCONFDIR))'
	@echo 'make deb      the Debian package, VERSION=, into $(BUILD)'
	@echo 'make package-test  install, use, upgrade and remove it in a clean Debian 12 (root, network, minutes)'
	@echo 'make clean    remove build trees (a stack keeps its state in var)'

deps:
	@tools/deps

deps-run:
	@tools/deps run

all: $(PROGRAMS)

# Swagger UI of the npm registry and our page around it. Installed with the rest when it was made.
DOCS_PARTS := swagger-ui.css swagger-ui-bundle.js swagger-ui-bundle.js.LICENSE.txt LICENSE NOTICE
docs: $(BUILD)/docs/index.html
$(BUILD)/docs/index.html: $(wildcard nginx/docs/*) tests/node/package-lock.json
	tests/node/install
	@mkdir -p $(@D)
	cp nginx/docs/docs.css nginx/docs/docs.js $(addprefix tests/node/node_modules/swagger-ui-dist/,$(DOCS_PARTS)) $(@D)
	cp nginx/docs/index.html $@

# A fresh make, because what is built is found out when the Makefile is read, and deps brings the headers.
run: deps-run
	@$(MAKE) --no-print-directory $(PARALLEL) all
	CONSIGN_BUILD=$(BUILD) tools/demo

stop:
	@tools/devstack down

test: deps
	@$(MAKE) --no-print-directory $(PARALLEL) check $(BUILD)/node/write_rows
	BUILD=$(BUILD) CONSIGN_BUILD=$(BUILD) tests/run

# the bench's programs too, which are made of parts of the product: what does not compile is seen at once
check: all unit replay checks $(BENCH_PROGRAMS)

# $(call run_each,WHAT,PROGRAMS,COMMAND): COMMAND for each of the programs ($$p), several at once. All of them run; the
# first failures of one do not hide another, and what a failing one wrote stands in one piece.
run_each = @printf '%s\n' $(2) | xargs -r -P $(JOBS) -I '{}' sh -c 'p={}; log=$(BUILD)/$(1)-$$(basename {}).log; \
    $(3) >$$log 2>&1 || { cat $$log; echo "$(1): $$p failed"; exit 1; }' && echo '$(1): $(words $(2)) passed'

checks: all
	$(call run_each,checks,$(CHECKS),CONSIGN_BUILD=$(BUILD) $$p)

unit: $(UNIT_TESTS)
	$(call run_each,unit,$(UNIT_TESTS),$$p)

# The inputs that fuzzing has found worth keeping, and every one that once broke something.
replay: $(addprefix $(BUILD)/replay/,$(FUZZ_TARGETS))
	$(call run_each,replay,$^,$$p tests/fuzz/corpus/$$(basename $$p))

fuzz:
	@$(MAKE) --no-print-directory $(PARALLEL) BUILD=$(BUILD)/fuzz CC=clang SANITIZE=fuzzer fuzzers
	@CONSIGN_FUZZERS=$(BUILD)/fuzz/fuzz tests/fuzz/run

fuzzers: $(addprefix $(BUILD)/fuzz/,$(FUZZ_TARGETS))

# As root: the services run as another user, and disks are made.
fault: deps
	@$(MAKE) --no-print-directory $(PARALLEL) all $(BUILD)/node/write_rows
	CONSIGN_BUILD=$(BUILD) tests/fault/run $(PARTS)

soak: deps
	@$(MAKE) --no-print-directory $(PARALLEL) all
	CONSIGN_BUILD=$(BUILD) tests/fault/soak

asan:
	@$(MAKE) --no-print-directory $(PARALLEL) BUILD=build/asan SANITIZE=1 all unit replay build/asan/node/write_rows
	BUILD=build/asan CONSIGN_BUILD=build/asan tests/run

lint: all
	@CONSIGN_BUILD=$(BUILD) LINT_FLAGS='-std=c11 -O2 $(WARNINGS) $(CPPFLAGS)' tools/lint

bench: all $(BENCH_PROGRAMS)
	CONSIGN_BUILD=$(BUILD) tests/bench/run $(PARTS)

install: all
	DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' SYSCONFDIR='$(SYSCONFDIR)' UNITDIR='$(UNITDIR)' tools/package/install $(BUILD)

deb: all docs
	@tools/package/deb $(BUILD) $(VERSION) $(BUILD)

# As root, with the network: a clean Debian 12 that the package is installed, used, upgraded and removed in.
package-test: deps
	@$(MAKE) --no-print-directory $(PARALLEL) all docs
	CONSIGN_BUILD=$(BUILD) tests/package/run
	tests/package/newcomer

clean:
	rm -rf build $(BUILD)

# CONSIGN_SCHEMA, CONSIGN_SQL_DIGEST; a folder is newer when a file came or went
$(BUILD)/obj/fcgi/core/database_check.o: sql/schema sql/api $(SQL_API)

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
# The pool speaks HTTP to nobody and does without the libraries that this one brings.
$(BUILD)/bin/consign-spooler $(BUILD)/bin/consignctl $(addprefix $(BUILD)/tests/,test_client_place test_http): LDLIBS += -lcurl
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

# Of the responder, which is no archive, what one of them needs.
$(BUILD)/bench/bench_constant: $(call objects,fcgi/responder/listen.c fcgi/responder/request.c fcgi/responder/turn.c)
$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(ARCHIVE)
	@mkdir -p $(@D)
	@echo '  $@'
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LDLIBS)

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
