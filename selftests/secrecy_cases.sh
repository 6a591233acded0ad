# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh disable=SC2034
#
# MEMORY-END, the cases of secrecy_test.sh; each has a secret of its own, made
# by needles.sh. See plant.c, conn_plant.c
# and ring_plant.c. Sourced.

# What must be gone afterwards.
secrecy_cases="
	pool-kill pool-fork pool-mapping pool-exit pool-abort pool-sigsegv
	pool-exec pool-free pool-close
	kpool-kill kpool-fork kpool-exit kpool-abort kpool-sigsegv
	kpool-exec kpool-free kpool-close
	conn-kill conn-fork conn-exit conn-abort conn-sigsegv
	conn-exec conn-zeroize conn-close
	lent-fork lent-close lent-zeroize lent-reset lent-idle lent-shrink
	packet-kill packet-fork packet-exit packet-close packet-zeroize
	packet-reset moved-kill moved-fork moved-close moved-zeroize moved-reset
	stream-kill stream-close stream-zeroize stream-reset
	ring-kill ring-fork ring-exit ring-abort ring-exec ring-close
	ring-producer ring-consumer ring-both ring-reset ring-hangup
	ring-unsent ring-scratch ring-read ring-record ring-consume ring-shrink
"

# The positive control, the same steps: what must be found afterwards.
secrecy_controls="malloc-free malloc-abort malloc-exit malloc-kill malloc-fork"

# The secrets of crowd_test.sh, see crowd.c, and its positive control.
crowd_cases="
	crowd-0 crowd-1 crowd-2 crowd-3 crowd-4 crowd-5 crowd-6 crowd-7
"
crowd_control="crowd-malloc"
