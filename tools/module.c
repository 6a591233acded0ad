// SPDX-License-Identifier: GPL-2.0
/*
 * The module: load it, unload it, ask for its state.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "secbufctl.h"

struct kmod_ctx *module_context(void)
{
	struct kmod_ctx *ctx = kmod_new(NULL, NULL);

	/* Its messages name neither the cause nor the remedy. */
	if (ctx)
		kmod_set_log_priority(ctx, 0);
	return ctx;
}

int module_state(struct kmod_ctx *ctx, struct kmod_module **mod)
{
	int state;

	*mod = NULL;
	state = kmod_module_new_from_name(ctx, SECBUF_MODULE, mod);
	if (state < 0)
		return state;
	state = kmod_module_get_initstate(*mod);
	if (state < 0) {
		kmod_module_unref(*mod);
		*mod = NULL;
	}
	return state;
}

/* NAME=VALUE, with a NAME that a module parameter can have. */
static bool is_param(const char *arg)
{
	size_t n = 0;

	while (isalnum((unsigned char)arg[n]) || arg[n] == '_' || arg[n] == '-')
		n++;
	return n && arg[n] == '=';
}

/* Parameters in one line, NULL without memory. */
static char *join_params(int argc, char **argv)
{
	size_t size = 1;
	char *line, *end;
	int i;

	for (i = 0; i < argc; i++)
		size += strlen(argv[i]) + 1;
	line = calloc(1, size);
	if (!line)
		return NULL;
	end = line;
	for (i = 0; i < argc; i++)
		end += sprintf(end, "%s%s", i ? " " : "", argv[i]);
	return line;
}

/* Whoever made the file must not tell the terminal what to do. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (!isprint((unsigned char)*text))
			*text = '?';
}

/*
 * Copies the value of @key in the file's .modinfo, with '?' for what cannot be
 * printed; empty if there is none.
 */
static void get_modinfo(struct kmod_module *mod, const char *key, char *value,
			size_t size)
{
	struct kmod_list *list = NULL, *entry;

	value[0] = '\0';
	if (kmod_module_get_info(mod, &list) < 0)
		return;
	kmod_list_foreach(entry, list)
		if (!strcmp(kmod_module_info_get_key(entry), key))
			snprintf(value, size, "%s",
				 kmod_module_info_get_value(entry));
	kmod_module_info_free_list(list);
	make_printable(value);
}

static int fail_not_permitted(const char *what)
{
	if (geteuid())
		return fail("only root can %s the module: try sudo", what);
	return fail("root may not %s modules here: container or lockdown?",
		    what);
}

static int fail_format(struct kmod_module *mod, const char *path)
{
	struct utsname running;
	char built[128];

	get_modinfo(mod, "vermagic", built, sizeof(built));
	built[strcspn(built, " ")] = '\0';
	if (!built[0])
		return fail("%s is not a kernel module", path);
	if (!uname(&running) && strcmp(built, running.release))
		return fail("%s was built for another kernel: %s, this is %s",
			    path, built, running.release);
	return fail("%s was built for another kernel of the same name",
		    path);
}

static int fail_insert(struct kmod_module *mod, const char *path, int err)
{
	if (access("/proc/modules", F_OK))
		return fail("the running kernel has no loadable modules");

	switch (err) {
	case -EPERM:
	case -EACCES:
		return fail_not_permitted("load");
	case -ENOEXEC:
		return fail_format(mod, path);
	case -ENOENT:
		return fail("%s needs a symbol that this kernel lacks: see dmesg",
			    path);
	case -EINVAL:
		return fail("a parameter has an invalid value: see modinfo %s",
			    path);
	case -EKEYREJECTED:
	case -ENOKEY:
		return fail("%s is not signed with a key that this kernel trusts",
			    path);
	default:
		return fail("cannot load %s: %s", path, strerror(-err));
	}
}

/* Only secbuf: this is not another insmod. */
static int check_file(struct kmod_module *mod, const char *path)
{
	char name[128];

	get_modinfo(mod, "name", name, sizeof(name));
	if (!name[0])
		return fail("%s is not a kernel module", path);
	if (strcmp(name, SECBUF_MODULE))
		return fail("%s is the module %s, not " SECBUF_MODULE, path,
			    name);
	return EXIT_OK;
}

static int load_file(struct kmod_ctx *ctx, const char *path,
		     const char *params)
{
	struct kmod_module *mod;
	struct stat st;
	int err;

	if (stat(path, &st))
		return fail("%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return fail("%s is not a file", path);
	if (access(path, R_OK))
		return fail("%s: %s", path, strerror(errno));

	err = kmod_module_new_from_path(ctx, path, &mod);
	if (err)
		return fail("%s: %s", path, strerror(-err));
	err = check_file(mod, path);
	if (!err) {
		err = kmod_module_insert_module(mod, 0, params);
		if (err)
			err = fail_insert(mod, path, err);
	}
	kmod_module_unref(mod);
	return err;
}

static int load_installed(struct kmod_ctx *ctx, const char *params)
{
	struct kmod_module *mod = NULL;
	const char *path;
	int err;

	err = kmod_module_new_from_name_lookup(ctx, SECBUF_MODULE, &mod);
	path = mod ? kmod_module_get_path(mod) : NULL;
	if (err || !path) {
		if (mod)
			kmod_module_unref(mod);
		return fail("not installed in %s: give the path of secbuf.ko",
			    kmod_get_dirname(ctx));
	}
	err = kmod_module_probe_insert_module(mod, 0, params, NULL, NULL, NULL);
	if (err)
		err = fail_insert(mod, path, err);
	kmod_module_unref(mod);
	return err;
}

static int load(struct kmod_ctx *ctx, const char *path, const char *params)
{
	struct kmod_module *mod;
	int err;

	if (module_state(ctx, &mod) >= 0) {
		printf(SECBUF_MODULE " is already loaded%s\n",
		       params[0] ? "; the parameters were not applied" : "");
		kmod_module_unref(mod);
		return EXIT_OK;
	}
	err = path ? load_file(ctx, path, params) : load_installed(ctx, params);
	if (!err)
		puts(SECBUF_MODULE " is loaded");
	return err;
}

int cmd_load(int argc, char **argv)
{
	const char *path = NULL;
	struct kmod_ctx *ctx;
	char *params;
	int i, ret;

	if (argc && !is_param(argv[0])) {
		path = argv[0];
		argc--;
		argv++;
	}
	for (i = 0; i < argc; i++) {
		if (!is_param(argv[i])) {
			fail("'%s' is not PARAM=VALUE", argv[i]);
			return EXIT_USAGE;
		}
	}

	params = join_params(argc, argv);
	ctx = module_context();
	if (params && ctx)
		ret = load(ctx, path, params);
	else
		ret = fail("cannot start libkmod: %s", strerror(ENOMEM));
	if (ctx)
		kmod_unref(ctx);
	free(params);
	return ret;
}

static int fail_remove(struct kmod_module *mod, int err)
{
	switch (err) {
	case -EPERM:
	case -EACCES:
		return fail_not_permitted("unload");
	case -EBUSY:
	case -EAGAIN:
		return fail("in use (%d): end what has " SECBUF_DEVICE " or its objects open",
			    kmod_module_get_refcnt(mod));
	default:
		return fail("cannot unload " SECBUF_MODULE ": %s",
			    strerror(-err));
	}
}

static int unload(struct kmod_ctx *ctx)
{
	struct kmod_module *mod;
	int ret = EXIT_OK;
	int state, err;

	state = module_state(ctx, &mod);
	if (state < 0) {
		puts(SECBUF_MODULE " is not loaded");
		return EXIT_OK;
	}
	if (state == KMOD_MODULE_BUILTIN) {
		ret = fail(SECBUF_MODULE " is built into this kernel");
	} else {
		err = kmod_module_remove_module(mod, KMOD_REMOVE_NOLOG);
		if (err)
			ret = fail_remove(mod, err);
		else
			puts(SECBUF_MODULE " is unloaded");
	}
	kmod_module_unref(mod);
	return ret;
}

int cmd_unload(int argc, char **argv)
{
	struct kmod_ctx *ctx = module_context();
	int ret;

	(void)argc;
	(void)argv;
	if (!ctx)
		return fail("cannot start libkmod: %s", strerror(ENOMEM));
	ret = unload(ctx);
	kmod_unref(ctx);
	return ret;
}
