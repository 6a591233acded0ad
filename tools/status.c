// SPDX-License-Identifier: GPL-2.0
/*
 * secbufctl status: one table of all that can be asked.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <secbuf.h>

#include "secbufctl.h"

struct bit_name {
	unsigned long long bit;
	const char *name;
};

static const struct bit_name feature_names[] = {
	{ SECBUF_FEAT_POOL_MAPPED, "mapped pools" },
	{ SECBUF_FEAT_CONN, "conns" },
	{ SECBUF_FEAT_POOL, "kernel-held pools" },
	{ SECBUF_FEAT_POOL_PASSABLE, "passable pools" },
	{ SECBUF_FEAT_POOL_GUARD, "guarded pools" },
	{ SECBUF_FEAT_RING, "rings" },
};

static const struct bit_name protection_names[] = {
	{ SECBUF_PROT_LOCKED, "never swapped" },
	{ SECBUF_PROT_UNDUMPABLE, "not in core dumps" },
	{ SECBUF_PROT_UNFORKABLE, "not inherited by fork" },
	{ SECBUF_PROT_UNPINNABLE, "no ptrace, no pinning" },
	{ SECBUF_PROT_OWNER_DEATH, "dies with its owner" },
};

static void print_row(const char *label, const char *value)
{
	printf("  %-24s%s\n", label, value);
}

static void print_number(const char *label, unsigned long long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", value);
	print_row(label, text);
}

/* In the largest unit that it is a whole number of. */
static void format_bytes(char *text, size_t size, unsigned long long bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	unsigned int unit = 0;

	while (bytes && bytes % 1024 == 0 && unit + 1 < ARRAY_SIZE(units)) {
		bytes /= 1024;
		unit++;
	}
	snprintf(text, size, "%llu %s", bytes, units[unit]);
}

static void print_bytes(const char *label, unsigned long long bytes)
{
	char text[32];

	format_bytes(text, sizeof(text), bytes);
	print_row(label, text);
}

static void print_usage_row(const char *label, unsigned long long bytes, unsigned long long max)
{
	char used[32], ceiling[32], text[80];

	format_bytes(used, sizeof(used), bytes);
	format_bytes(ceiling, sizeof(ceiling), max);
	snprintf(text, sizeof(text), "%s of %s", used, ceiling);
	print_row(label, text);
}

static void print_bits(unsigned long long bits, const struct bit_name *names, size_t nr,
		       const char *yes, const char *no)
{
	unsigned long long known = 0;
	char text[32];
	size_t i;

	for (i = 0; i < nr; i++) {
		print_row(names[i].name, bits & names[i].bit ? yes : no);
		known |= names[i].bit;
	}
	if (bits & ~known) {
		snprintf(text, sizeof(text), "0x%llx", bits & ~known);
		print_row("unknown to this program", text);
	}
}

static void print_device(void)
{
	const struct passwd *user;
	const struct group *group;
	char owner[16], owners[16], text[128];
	struct stat st;

	if (stat(SECBUF_DEVICE, &st)) {
		print_row("device", errno == ENOENT ? "no " SECBUF_DEVICE :
						      strerror(errno));
		return;
	}
	if (!S_ISCHR(st.st_mode)) {
		print_row("device", SECBUF_DEVICE " is not a device");
		return;
	}
	user = getpwuid(st.st_uid);
	group = getgrgid(st.st_gid);
	snprintf(owner, sizeof(owner), "%u", st.st_uid);
	snprintf(owners, sizeof(owners), "%u", st.st_gid);
	snprintf(text, sizeof(text), SECBUF_DEVICE ", mode %04o, %.32s:%.32s",
		 st.st_mode & 07777, user ? user->pw_name : owner,
		 group ? group->gr_name : owners);
	print_row("device", text);
}

static void print_limits(const struct secbuf_info_args *info)
{
	puts("limits");
	print_bytes("smallest buffer", info->out_slot_size_min);
	print_bytes("largest mapped buffer", info->out_slot_size_max);
	print_bytes("largest kernel buffer", SECBUF_POOL_BUF_SIZE_MAX);
	print_number("buffers of a pool", info->out_slots_max);
	print_bytes("mapping of a pool", info->out_pool_size_max);
	print_number("buffers in one call", info->out_batch_max);
	print_bytes("bytes in one call", info->out_batch_bytes_max);
}

static void print_info(const struct secbuf_info_args *info)
{
	print_number("ABI version", info->out_abi_version);
	puts("features");
	print_bits(info->out_features, feature_names,
		   ARRAY_SIZE(feature_names), "yes", "no");
	puts("protections");
	print_bits(info->out_protections, protection_names,
		   ARRAY_SIZE(protection_names), "holds", "does not hold");
	print_limits(info);
	puts("usage");
	print_number("pools", info->out_nr_pools);
	print_number("conns", info->out_nr_conns);
	print_number("rings", info->out_nr_rings);
	print_usage_row("all users", info->out_bytes, info->out_bytes_max);
	print_usage_row("this user", info->out_user_bytes,
			info->out_user_bytes_max);
}

/* True if the module is there. */
static bool print_module(void)
{
	struct kmod_ctx *ctx = module_context();
	struct kmod_module *mod = NULL;
	char text[64];
	int state;

	state = ctx ? module_state(ctx, &mod) : -ENOMEM;
	if (state == -ENOENT)
		snprintf(text, sizeof(text), "not loaded");
	else if (state < 0)
		snprintf(text, sizeof(text), "%s", strerror(-state));
	else if (state == KMOD_MODULE_LIVE)
		snprintf(text, sizeof(text), "loaded, %d uses",
			 kmod_module_get_refcnt(mod));
	else
		snprintf(text, sizeof(text), "%s",
			 kmod_module_initstate_str(state));
	print_row("module", text);

	if (mod)
		kmod_module_unref(mod);
	if (ctx)
		kmod_unref(ctx);
	return state >= 0;
}

int cmd_status(int argc, char **argv)
{
	struct secbuf_info_args info;
	struct secbuf_context *ctx;
	bool loaded;
	int err;

	(void)argc;
	(void)argv;
	puts("secbuf");
	loaded = print_module();
	print_device();

	err = secbuf_open(&ctx, NULL);
	if (!err) {
		err = secbuf_get_info(ctx, &info);
		secbuf_close(ctx);
	}
	if (!err) {
		print_info(&info);
		return EXIT_OK;
	}
	fflush(stdout);
	if (err == -ENODEV && loaded)
		return fail(SECBUF_DEVICE " is missing: is devtmpfs mounted?");
	fail("%s", secbuf_strerror(err));
	return err == -ENODEV ? EXIT_NOT_LOADED : EXIT_FAILED;
}
