#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# reboot.sh END ZEROIZE: plant secrets and go down while they are in use, by
# END, which is reboot or kexec. scripts/reboot-test.sh runs this as the script of a
# guest, and looks at what the memory holds afterwards.

end=$1 zeroize=$2
here=$(cd "$(dirname "$0")" && pwd)

if grep -q secbuf_kexec /proc/cmdline; then
	hostsearch after
	exit
fi

insmod "$here/secbuf.ko" reboot_zeroize="$zeroize" || exit
for memory in pool kpool conn ring malloc; do
	"$here/plant" $memory kill "$here/needles/reboot-$memory.mask" \
		"$here/needles/reboot-$memory.masked" >/tmp/$memory 2>&1 &
	until grep -q "^planted" /tmp/$memory; do
		kill -0 $! || { cat /tmp/$memory; exit 1; }
		sleep 0.1
	done
done
hostsearch before || exit
# The last that runs tries to make new objects.
insmod "$here/secbuf_policy_test.ko" program="$here/refused.sh" || exit

if [ "$end" = reboot ]; then
	echo "reboot -f" >/run/end
	exit
fi
# The next kernel runs this script as well, from files without secrets.
{
	printf '%s\n' /dev /proc /root /run /sys /tmp "$here"
	find /bin /etc /init /usr "$here"/*.sh
} | cpio -o -H newc >/run/initrd 2>/dev/null
echo "$here/kexec $here/image /run/initrd \
	'$(cat /proc/cmdline) secbuf_kexec'" >/run/end
