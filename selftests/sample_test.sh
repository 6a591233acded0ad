#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# sample_test.sh [MODULE]: the sample module keeps and forgets a secret, and
# secbuf cannot go while it is there. secbuf is loaded, debugfs is mounted.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"

module=${1:-$here/secbuf_sample.ko}
secret=/sys/kernel/debug/secbuf_sample

# keep BYTES: that many letters; fails if they are refused
keep()
{
	head -c "$1" /dev/zero | tr '\0' 's' | dd of=$secret bs=4096 \
		conv=notrunc 2>/dev/null
}

echo "TAP version 13"

users=$(cat /sys/module/secbuf/refcnt)
insmod "$module"
tap_result $? "loaded"
tap_is "$((users + 1))" "$(cat /sys/module/secbuf/refcnt)" "uses secbuf"
tap_is 600 "$(stat -c %a $secret)" "only for root"
tap_is "" "$(cat $secret)" "nothing at first"

printf 'swordfish' >$secret
tap_is swordfish "$(cat $secret)" "a secret"
tap_is fish "$(dd if=$secret bs=1 skip=5 2>/dev/null)" "a part of it"
printf 'cod' >$secret
tap_is cod "$(cat $secret)" "another, shorter one"
: >$secret
tap_is "" "$(cat $secret)" "forgotten"

keep 1000
tap_result $? "as long as it may be"
tap_is 1000 "$(wc -c <$secret)" "all of it"
! keep 1001
tap_result $? "too long: refused"
tap_is 1000 "$(wc -c <$secret)" "too long: the old one stays"

# A reader in the middle of it keeps its reference, not the file's content.
exec 3<$secret
printf 'swordfish' >$secret
tap_is swordfish "$(cat <&3)" "opened before, read after"
exec 3<&-

! rmmod secbuf 2>/dev/null
tap_result $? "secbuf cannot be unloaded"
tap_is swordfish "$(cat $secret)" "still there"
rmmod secbuf_sample
tap_result $? "unloaded, with a secret"
[ ! -e $secret ]
tap_result $? "no file"
tap_is "$users" "$(cat /sys/module/secbuf/refcnt)" "no reference is left"

for round in 1 2 3; do
	insmod "$module" && printf 'x' >$secret && rmmod secbuf_sample
	tap_result $? "reload $round"
done
tap_end
