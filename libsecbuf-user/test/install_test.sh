#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#
# Installs into a scratch directory and builds programs against what is there,
# with what pkg-config says. Run by make check, in the library's directory.

tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
nr=0
failed=0
skipped=0
prefix=$tmp/usr
san=${SANITIZE:+-fsanitize=$SANITIZE}

result() {
	nr=$((nr + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $nr $2"
	else
		sed 's/^/# /' "$tmp/log"
		echo "not ok $nr $2"
		failed=$((failed + 1))
	fi
}

skip() {
	nr=$((nr + 1))
	skipped=$((skipped + 1))
	echo "ok $nr # SKIP $1"
}

# Not an unused variable: the declarations must come with their types.
cat > "$tmp/user.c" << 'END'
#include <secbuf.h>
#include <linux/types.h>
#include <linux/limits.h>

int main(void)
{
	struct secbuf_pool_opts opts = { sizeof(opts), 64, 0, 0, 0 };
	struct secbuf_context *ctx;
	struct secbuf_cursor cur;
	unsigned char bytes[16];
	int err = secbuf_open(&ctx, NULL);

	if (err && err != -ENODEV && err != -EACCES)
		return 1;
	secbuf_close(ctx);
	secbuf_cursor_init(&cur, bytes, sizeof(bytes));
	return secbuf_cursor_put_string(&cur, "abc", 3) || opts.max;
}
END
cp "$tmp/user.c" "$tmp/user.cc"

flags() {
	PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config "$@" libsecbuf-user
}

# build_run SOURCE COMPILER FLAGS...
build_run() {
	source=$1
	shift
	# shellcheck disable=SC2046,SC2086 # lists of flags
	"$@" -Wall -Wextra -Werror $san $(flags --cflags) -o "$tmp/user" \
		"$source" $libs > "$tmp/log" 2>&1 &&
		LD_LIBRARY_PATH=$prefix/lib "$tmp/user" >> "$tmp/log" 2>&1
}

# alone COMPILER FLAGS...: each header that is installed, and nothing before it
alone() {
	for header in secbuf.h secbuf/*.h linux/*.h; do
		echo "#include <$header>" > "$tmp/alone.c"
		"$@" -I. -Wall -Wextra -Werror -fsyntax-only "$tmp/alone.c" ||
			return 1
	done
}

echo "TAP version 13"
echo "1..7"
"${MAKE:-make}" --no-print-directory install O="${O:-build}" \
	PREFIX="$prefix" SANITIZE="$SANITIZE" > "$tmp/log" 2>&1
result $? "make install"

cd "$prefix/include/libsecbuf-user" || exit 1
alone "${CC:-cc}" -std=c99 > "$tmp/log" 2>&1
result $? "each header alone, in C99"
if command -v "${CXX:-c++}" > /dev/null; then
	alone "${CXX:-c++}" -x c++ -std=c++11 > "$tmp/log" 2>&1
	result $? "each header alone, in C++"
else
	skip "headers alone, C++: no C++ compiler"
fi
cd - > /dev/null || exit 1

if ! command -v pkg-config > /dev/null; then
	for what in "C, shared" "C, static" "C++, shared" "versions"; do
		skip "$what: pkg-config is not installed"
	done
else
	libs=$(flags --libs)
	build_run "$tmp/user.c" "${CC:-cc}" -std=c99
	result $? "a C99 program with the shared library"
	libs=$prefix/lib/libsecbuf-user.a
	build_run "$tmp/user.c" "${CC:-cc}"
	result $? "a C program with the static library"
	libs=$(flags --libs)
	if command -v "${CXX:-c++}" > /dev/null; then
		build_run "$tmp/user.cc" "${CXX:-c++}" -std=c++11
		result $? "a C++ program with the shared library"
	else
		skip "C++, shared: no C++ compiler"
	fi
	[ -e "$prefix/lib/libsecbuf-user.so.$(flags --modversion)" ]
	result $? "pkg-config and the file name agree on the version"
fi

echo "# Totals: pass:$((nr - failed - skipped)) fail:$failed xfail:0 xpass:0" \
	"skip:$skipped error:0"
[ $failed -eq 0 ]
