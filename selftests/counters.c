// SPDX-License-Identifier: GPL-2.0
/* counters: print "POOLS CONNS RINGS BYTES", what exists in the kernel now. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>

#include <linux/secbuf.h>

int main(void)
{
	struct secbuf_info_args info = { .size = sizeof(info) };
	int fd = open("/dev/secbuf", O_RDWR | O_CLOEXEC);

	if (fd < 0 || ioctl(fd, SECBUF_IOC_INFO, &info)) {
		perror("/dev/secbuf");
		return 1;
	}
	printf("%u %u %u %llu\n", info.out_nr_pools, info.out_nr_conns,
	       info.out_nr_rings, info.out_bytes);
	return 0;
}
