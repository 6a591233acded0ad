# SPDX-License-Identifier: GPL-2.0
#
# "make help" lists the targets. Everything but the module has a Makefile of
# its own, which knows the targets all, check, install and clean.

SUBDIRS	:= libsecbuf-user tools examples/ssh-agent examples/echo-server

# The kernel to build the module for: by default the stock kernel that the
# demo and the tests boot, which need not be the running one.
KDIR	?= $(shell scripts/kernel.sh headers 2>/dev/null)
CC	?= gcc

sub	= $(MAKE) --no-print-directory -C
kbuild	= $(MAKE) --no-print-directory -C $(KDIR) M=$(CURDIR) $(no-btf)
# Installed headers have no vmlinux to take BTF from; kbuild warns about each
# module.
no-btf	= $(if $(wildcard $(KDIR)/vmlinux),,CONFIG_DEBUG_INFO_BTF_MODULES=)

all: module lib tools examples	## build all that is not a test

module:			## kmod/secbuf.ko; KDIR=DIR builds for another kernel
	$(check-kdir)
	@$(kbuild) modules

bench-module: module	# for the benchmarks in the stock guest
	@$(MAKE) --no-print-directory -C $(KDIR) M=$(CURDIR)/bench/kernel \
		$(no-btf) KBUILD_EXTRA_SYMBOLS=$(CURDIR)/Module.symvers modules

lib:			## libsecbuf-user, the C library
	@$(sub) libsecbuf-user all

tools: lib build/ramsearch	## secbufctl, and what tests need on the host
	@$(sub) tools all

examples: lib		## the example SSH agent and the echo server
	@$(sub) examples/ssh-agent all
	@$(sub) examples/echo-server all

selftests:		## the programs that test the module
	@scripts/deps.sh check
	@$(sub) selftests all KSELFTEST=$(or $(KSELFTEST),$(kselftest))

demo:			## kill an SSH agent, then search all RAM for its keys
	@scripts/deps.sh demo
	@echo "building"
	@$(MAKE) --no-print-directory -s all
	@scripts/demo.sh

check:			## run all tests
	@scripts/deps.sh check
	@scripts/check.sh

check-quick:		## run the tests that take little time
	@scripts/deps.sh check
	@scripts/check.sh --quick

proof:			## attack every promise, in every lane: 25 minutes
	@scripts/deps.sh check
	@scripts/proof.sh

builds:			## compile for all kernels, compilers, architectures
	@scripts/deps.sh check
	@scripts/builds.sh

soak:			## TIME=120 seconds of load in the debug lane
	@scripts/deps.sh check
	@scripts/lane.sh debug soak $(or $(TIME),120)

soak-conn:		## the same with an echo server and TIME=600 of clients
	@$(sub) examples/echo-server all
	@scripts/lane.sh debug connsoak $(or $(TIME),600)

bench:			## measure AREA=pool, buffer, ring or conn
	@scripts/deps.sh check
	@scripts/bench.sh $(AREA)

fuzz:			## TIME=60 seconds of fuzzing the codec and buffers
	@scripts/deps.sh check
	@$(sub) fuzz run TIME=$(or $(TIME),60)

fuzz-ioctl:		## TIME=300 seconds of fuzzing the ioctls; SEED=N again
	@scripts/deps.sh check
	@scripts/lane.sh debug fuzz $(or $(TIME),300)

prove:			## the contracts of the codec, with Frama-C
	@scripts/deps.sh check
	@scripts/prove.sh

coverage:		## how much of the codec its tests reach
	@scripts/deps.sh check
	@scripts/coverage.sh

model:			## verify the protocol of rings in all interleavings
	@scripts/deps.sh check
	@tools/model/run.sh

style:			## checkpatch, the layer rule, shellcheck
	@scripts/deps.sh check
	@scripts/style.sh

load:			## load kmod/secbuf.ko into the running kernel
	@scripts/load.sh load

unload:			## remove it from the running kernel
	@scripts/load.sh unload

install: lib tools examples	## library, secbufctl and agent to DESTDIR, PREFIX
	@for dir in $(SUBDIRS); do $(sub) $$dir install || exit; done
	@[ -n '$(DESTDIR)' ] || [ "$$(id -u)" != 0 ] || $(sbin) ldconfig

# Not modules_install, which would install the modules of the tests, too.
install-module: module	## secbuf.ko, for the kernel of KDIR
	@release=$$($(sbin) modinfo -F vermagic kmod/secbuf.ko | cut -d ' ' -f 1) && \
	file="$(DESTDIR)/lib/modules/$${release:?}/extra/secbuf.ko" && \
	install -D -m 644 kmod/secbuf.ko "$$file" && echo "$$file" && \
	{ [ -n '$(DESTDIR)' ] || $(sbin) depmod -a "$$release"; }

install-packaging:	## udev rule and sysusers file: the group secbuf
	install -D -m 644 packaging/60-secbuf.rules -t '$(DESTDIR)/usr/lib/udev/rules.d'
	install -D -m 644 packaging/secbuf.sysusers.conf '$(DESTDIR)/usr/lib/sysusers.d/secbuf.conf'
	@echo 'Now, as root: systemd-sysusers; udevadm control --reload;' \
		'usermod -aG secbuf USER'

clean:			## remove everything that was built
	$(if $(kdir-error),,@$(kbuild) clean)
	@for dir in $(SUBDIRS) selftests bench; do \
		$(sub) $$dir clean || exit; \
		$(sub) $$dir clean SANITIZE=address,undefined || exit; \
	done
	rm -rf build

help:			## this list
	@awk -F ':[^#]*## ' '/^[a-z-]+:.*## / { \
		printf "  make %-17s %s\n", $$1, $$2 }' Makefile

build/ramsearch: scripts/ramsearch.c
	@mkdir -p build
	$(CC) -O2 -Wall -Wextra -Werror -o $@ $<

# By the shell, when the dependencies are there.
kselftest = $$(scripts/kernel.sh source)/tools/testing/selftests

sbin = PATH=$$PATH:/usr/sbin:/sbin

# One line, and before kbuild's many.
kdir-error = $(if $(KDIR),$(if $(wildcard $(KDIR)/include/config/auto.conf),,\
	KDIR=$(KDIR) is not a built kernel tree: leave it out for the stock \
	kernel or try KDIR=/lib/modules/$$(uname -r)/build),\
	no kernel headers: run scripts/deps.sh demo or set KDIR)
check-kdir = $(if $(kdir-error),$(error $(strip $(kdir-error))))

.PHONY: all module bench-module lib tools examples selftests demo check
.PHONY: check-quick proof builds bench style soak soak-conn fuzz fuzz-ioctl
.PHONY: prove coverage model load unload install install-module install-packaging clean help
