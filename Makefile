# greylag. Facts first, machine below; a new .cc file needs no edit here.
#
#   make                     the programs, in build/bin
#   make check               every test that needs no root and no network
#   make MODE=san check      the same under the address and undefined-behaviour sanitizers
#   make fuzz FUZZ_SECONDS=10
#   make bench

# --- facts -----------------------------------------------------------------------------------------------------------

VERSION := 0.1.0
MODE    ?= release
PREFIX  ?= /usr/local
SYSCONFDIR ?= /etc
STATE   ?= /var/lib/greylag
LIBEXEC ?= $(PREFIX)/libexec/greylag
FUZZ_SECONDS ?= 60

ROOMS    := $(patsubst lib/%/,%,$(wildcard lib/*/))
PROGRAMS := $(notdir $(patsubst %/,%,$(dir $(wildcard cmd/*/main.cc))))

# Programs with OpenSSL inside; everything else never carries it.
TLS_PROGRAMS := smtpd-tls smtp-tls sendmessage smtp-source smtp-sink smtptest mconnect
TLS_TOOLS := starttls
LIBS_PLAIN := -linih -lsodium -lcares
LIBS_TLS   := -lssl -lcrypto

# Of the sources of another one: smtpd and smtp with OpenSSL, which those become when it is asked for.
SIBLINGS := smtpd-tls smtp-tls

# What the client library (lib/client/smtp_client.hh) is made of.
LIBRARY_ROOMS := base mail sys secret smtp sasl dns tls client
LIBS_LIBRARY := $(LIBS_TLS) -lsodium -lcares

# How a finished program is linked. A process a connection pays for every relocation and every page of a dynamic library.
STATIC ?= -static-pie

# --- machine ---------------------------------------------------------------------------------------------------------

ifeq ($(origin CXX),default)
CXX := g++
endif
# libFuzzer lives in clang; its programs are of the sanitizers' objects.
FUZZ_CXX ?= $(firstword $(foreach c,clang++-19 clang++,$(if $(shell command -v $(c) 2>/dev/null),$(c))))
ifeq ($(MODE),fuzz)
override MODE := san
override CXX := $(FUZZ_CXX)
endif
ifeq ($(filter release san,$(MODE)),)
$(error MODE is release, san or fuzz, not '$(MODE)')
endif
B := build/$(MODE)-$(notdir $(CXX))

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wswitch-enum -Wnon-virtual-dtor \
        -Woverloaded-virtual -Wnull-dereference -Wformat=2 -Wundef
# g++ 12 sees uninitialized members in every std::variant that is moved; clang's own analysis and the sanitizers stay on guard.
WARN += $(if $(findstring clang,$(CXX)),,-Wno-maybe-uninitialized)
HARD := -fstack-protector-strong -fstack-clash-protection -D_GLIBCXX_ASSERTIONS
# Small before fast: a session touches most of its text once, and every page of it costs; the hot loops are memchr and memcpy.
OPT_release := -Os $(HARD) -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
OPT_san     := -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS \
               $(if $(findstring clang,$(CXX)),-fsanitize=fuzzer-no-link)
LINK_release := -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--gc-sections
LINK_san     := -fsanitize=address,undefined
ifneq ($(MODE),release)
STATIC :=
endif
ifdef CI
WARN += -Werror
endif

CXXFLAGS ?=
ALL_CXXFLAGS = -std=c++23 $(WARN) $(OPT_$(MODE)) $(SLOW) -fPIE -ffunction-sections -fdata-sections -Ilib -I. $(CXXFLAGS)
DEFAULTS := -DGREYLAG_VERSION='"$(VERSION)"' -DGREYLAG_SYSCONFDIR='"$(SYSCONFDIR)"' -DGREYLAG_STATE='"$(STATE)"' \
            -DGREYLAG_LIBEXEC='"$(LIBEXEC)"'
LDFLAGS ?=
ALL_LDFLAGS := $(LINK_$(MODE)) $(LDFLAGS)

objects = $(patsubst %.cc,$(B)/%.o,$(sort $(1)))
LIB_SRC  := $(wildcard lib/*/*.cc grey/*.cc)
# The makers of smtpd's cryptography have one name, and so have those of smtp's: each program is linked with its own.
CMD_SRC  := $(filter-out %/main.cc %/crypto_none.cc %/crypto_openssl.cc,$(wildcard cmd/*.cc cmd/*/*.cc))
SUP_SRC  := $(filter-out tests/support/main.cc,$(wildcard tests/support/*.cc))
TESTS    := unit dialog e2e
TEST_BIN := $(foreach t,$(TESTS),$(if $(wildcard tests/$(t)/*.cc),$(B)/test/$(t)))
FUZZERS  := $(patsubst tests/fuzz/%.cc,%,$(wildcard tests/fuzz/*.cc))
TOOLS    := $(patsubst tests/bench/%.cc,%,$(wildcard tests/bench/*.cc))
BIN      := $(addprefix $(B)/bin/,$(PROGRAMS) $(SIBLINGS))

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all library check check-peers check-house fuzz bench tidy format install dist clean compile_commands.json FORCE

# For others to link: only as it is released.
LIBRARY := $(if $(filter release,$(MODE)),$(addprefix $(B)/lib/,libgreylag-smtp.a libgreylag-smtp.so greylag-smtp.pc))

all: $(BIN) library
	@mkdir -p build/bin && ln -sf $(addprefix ../../,$(BIN)) build/bin/

# The flags are an input like any other: another prefix or compiler option rebuilds what it touches.
$(B)/flags: FORCE
	@mkdir -p $(@D); echo '$(CXX) $(subst ','\'',$(ALL_CXXFLAGS) $(DEFAULTS))' | cmp -s - $@ || \
	  echo '$(CXX) $(subst ','\'',$(ALL_CXXFLAGS) $(DEFAULTS))' > $@

# What only tests run need not be quick: half of the time of a check was the optimizer's.
$(B)/tests/%.o: private SLOW := -O0 -U_FORTIFY_SOURCE
$(B)/tests/bench/%.o $(B)/tests/fuzz/%.o: private SLOW :=

$(B)/%.o: %.cc $(B)/flags
	@mkdir -p $(@D)
	$(CXX) $(ALL_CXXFLAGS) $(DEFAULTS) -MMD -MP -c -o $@ $<

$(B)/libgreylag.a: $(call objects,$(LIB_SRC))
	@mkdir -p $(@D)
	rm -f $@; ar rcs $@ $^
$(B)/libcmd.a: $(call objects,$(CMD_SRC))
	@mkdir -p $(@D)
	rm -f $@; ar rcs $@ $^

# The client library: position-independent, nothing of ours visible but what its header declares, and no folder of this
# installation inside.
library: $(LIBRARY)
	@$(if $(LIBRARY),mkdir -p build/lib && ln -sf $(addprefix ../../,$(LIBRARY)) build/lib/)
# Without -Werror: whether CI builds it or install.sh, it is the same.
LIBRARY_CXXFLAGS = $(filter-out -Werror,$(subst -fPIE,-fPIC,$(ALL_CXXFLAGS))) -fvisibility=hidden -fvisibility-inlines-hidden
LIBRARY_SRC := $(wildcard $(LIBRARY_ROOMS:%=lib/%/*.cc))
$(B)/lib/flags: FORCE
	@mkdir -p $(@D); echo '$(CXX) $(subst ','\'',$(LIBRARY_CXXFLAGS))' | cmp -s - $@ || echo '$(CXX) $(subst ','\'',$(LIBRARY_CXXFLAGS))' > $@
$(B)/pic/%.o: %.cc $(B)/lib/flags
	@mkdir -p $(@D)
	$(CXX) $(LIBRARY_CXXFLAGS) -MMD -MP -c -o $@ $<
$(B)/lib/libgreylag-smtp.a: $(patsubst %.cc,$(B)/pic/%.o,$(sort $(LIBRARY_SRC)))
	rm -f $@; ar rcs $@ $^
$(B)/lib/libgreylag-smtp.so: $(B)/lib/libgreylag-smtp.a lib/client/smtp_client.map
	$(CXX) $(LIBRARY_CXXFLAGS) $(ALL_LDFLAGS) -shared -Wl,-soname,$(@F) -Wl,-z,defs -Wl,--version-script=lib/client/smtp_client.map \
	  -o $@ -Wl,--whole-archive $< -Wl,--no-whole-archive -Wl,--as-needed $(LIBS_LIBRARY)
$(B)/lib/greylag-smtp.pc: Makefile
	@mkdir -p $(@D)
	@printf '%s\n' 'includedir=/usr/local/include' 'libdir=/usr/local/lib' '' 'Name: greylag-smtp' \
	  'Description: SMTP client: one message through known servers, or a dialogue step by step (C++23)' 'Version: $(VERSION)' \
	  'Cflags: -I$${includedir}' 'Libs: -L$${libdir} -lgreylag-smtp' 'Libs.private: $(LIBS_LIBRARY)' > $@

# Each program: its main.cc, the drivers beside it, the rooms, and only the packages something in it asks for.
$(B)/bin/smtpd: $(B)/cmd/smtpd/crypto_none.o
$(B)/bin/smtpd-tls: $(B)/cmd/smtpd/main.o $(B)/cmd/smtpd/crypto_openssl.o
$(B)/bin/smtp: $(B)/cmd/smtp/crypto_none.o
$(B)/bin/smtp-tls: $(B)/cmd/smtp/main.o $(B)/cmd/smtp/crypto_openssl.o
$(foreach p,$(PROGRAMS),$(eval $(B)/bin/$(p): $(B)/cmd/$(p)/main.o))
$(BIN): $(B)/libcmd.a $(B)/libgreylag.a
	@mkdir -p $(@D)
	$(CXX) $(ALL_CXXFLAGS) $(ALL_LDFLAGS) $(STATIC) -o $@ $(filter %.o,$^) $(B)/libcmd.a $(B)/libgreylag.a -Wl,--as-needed \
	  $(if $(filter $(@F),$(TLS_PROGRAMS)),$(LIBS_TLS)) $(LIBS_PLAIN)

# Tests see everything.
$(TEST_BIN): $(B)/test/%: $(B)/tests/support/main.o $(call objects,$(SUP_SRC)) $(B)/libcmd.a $(B)/libgreylag.a
$(foreach t,$(TESTS),$(eval $(B)/test/$(t): $(call objects,$(wildcard tests/$(t)/*.cc))))
$(TEST_BIN):
	@mkdir -p $(@D)
	$(CXX) $(ALL_CXXFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(B)/libcmd.a $(B)/libgreylag.a -Wl,--as-needed \
	  $(LIBS_TLS) $(LIBS_PLAIN)

# Everything at once, no root, no network; the last line counts.
check: all $(TEST_BIN)
	@CXX='$(CXX)' B='$(B)' MODE='$(MODE)' sh tests/run.sh $(TEST_BIN)

check-peers: all
	@B='$(B)' sh tests/peers/run.sh

fuzz:
	@test -n '$(FUZZ_CXX)' || { echo 'make fuzz needs clang++ with libFuzzer' >&2; exit 1; }
	@$(MAKE) --no-print-directory MODE=san CXX=$(FUZZ_CXX) fuzzers
	@FUZZ_SECONDS='$(FUZZ_SECONDS)' sh tests/fuzz/run.sh build/san-$(notdir $(FUZZ_CXX))/fuzz
fuzzers: $(addprefix $(B)/fuzz/,$(FUZZERS))
$(B)/fuzz/%: $(B)/tests/fuzz/%.o $(B)/libcmd.a $(B)/libgreylag.a
	@mkdir -p $(@D)
	$(CXX) $(ALL_CXXFLAGS) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS_TLS) $(LIBS_PLAIN)

# The helpers of the benchmarks are programs of their own.
bench: all $(addprefix $(B)/bench/,$(TOOLS))
	@B='$(B)' sh tests/bench/run.sh
$(B)/bench/%: $(B)/tests/bench/%.o $(B)/libgreylag.a
	@mkdir -p $(@D)
	$(CXX) $(ALL_CXXFLAGS) $(ALL_LDFLAGS) $(STATIC) -o $@ $^ -Wl,--as-needed $(if $(filter $*,$(TLS_TOOLS)),$(LIBS_TLS)) $(LIBS_PLAIN)

tidy:
	clang-tidy $(LIB_SRC) $(CMD_SRC) -- -std=c++23 -Ilib -I. $(DEFAULTS)
format:
	clang-format -i $$(git ls-files '*.cc' '*.hh')

install: all
	sh install.sh --prefix '$(PREFIX)' --sysconfdir '$(SYSCONFDIR)' --state '$(STATE)' --yes

dist:
	git archive --format=tar.gz --prefix=greylag-$(VERSION)/ -o greylag-$(VERSION).tar.gz HEAD

compile_commands.json:
	@$(MAKE) --no-print-directory -Bnk all $(TEST_BIN) | awk -v dir='$(CURDIR)' ' \
	  / -c -o / { file = $$NF; gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); \
	    printf "%s{\"directory\":\"%s\",\"file\":\"%s\",\"command\":\"%s\"}", sep, dir, file, $$0; sep = ",\n" } \
	  BEGIN { print "[" } END { print "\n]" }' > $@

clean:
	rm -rf build compile_commands.json greylag-*.tar.gz

-include $(shell find $(B) -name '*.d' 2>/dev/null)
