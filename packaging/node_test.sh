#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Who may open the device, in a guest: root, until udev and sysusers have read
# the files of this directory, and then the group secbuf as well, and nobody
# else. node-test.sh in scripts/ brings the programs and the installed files.

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=selftests/tap.sh
. "$here/tap.sh"

# as USER: prints what the module tells it, or why it cannot
as()
{
	su -s /bin/sh "$1" -c "$here/counters" 2>&1
}

denied="/dev/secbuf: Permission denied"

echo "TAP version 13"
echo "member:x:1000:1000::/:/bin/sh" >>/etc/passwd
echo "stranger:x:1001:1001::/:/bin/sh" >>/etc/passwd
printf 'member:x:1000:\nstranger:x:1001:\n' >>/etc/group

insmod "$here/secbuf.ko"
tap_is "600 root root" "$(stat -c '%a %U %G' /dev/secbuf)" "node, without udev"
tap_is "0 0 0 0" "$("$here/counters")" "root may, without udev"
tap_is "$denied" "$(as member)" "others may not, without udev"
rmmod secbuf

systemd-sysusers
tap_result $? "sysusers reads its file"
tap_is secbuf "$(awk -F: '$1 == "secbuf" { print $1 }' /etc/group)" \
	"there is the group"
sed -i 's/^secbuf:.*/&member/' /etc/group

mkdir -p /lib/systemd
ln -s /bin/udevadm /lib/systemd/systemd-udevd
/lib/systemd/systemd-udevd --daemon >/tmp/udevd 2>&1
tap_result $? "udevd runs"
insmod "$here/secbuf.ko"
udevadm settle --timeout=60
tap_is "660 root secbuf" "$(stat -c '%a %U %G' /dev/secbuf)" "node, with udev"
tap_is "0 0 0 0" "$("$here/counters")" "root may"
tap_is "0 0 0 0" "$(as member)" "a member of the group may"
tap_is "$denied" "$(as stranger)" "others may not"
udevadm control --exit
rmmod secbuf
tap_end
