#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
#
# What the shared library exports, what the map lists and what the headers
# declare must be the same. Run by make check, in the library's directory.

so=${O:-build}/libsecbuf-user.so
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
nr=0
failed=0

# result NAME FILE FILE: passes if both files are the same and not empty
result() {
	nr=$((nr + 1))
	if [ -s "$2" ] && diff "$2" "$3" > "$tmp/diff"; then
		echo "ok $nr $1"
	else
		sed 's/^/# /' "$tmp/diff"
		echo "not ok $nr $1"
		failed=$((failed + 1))
	fi
}

nm -D --defined-only "$so" | awk '$2 != "A" { print $3 }' |
	sort > "$tmp/exported"
sed -n 's/^\t\(_*secbuf_[a-z0-9_]*\);$/\1@@SECBUF_0.1/p' libsecbuf-user.map |
	sort > "$tmp/map"
# What is not static begins at the first column with its type and its name.
cat include/secbuf/*.h ../codec/*.h |
	sed -n -E 's/^(int|void|size_t|ssize_t|bool|double|const char \*|struct [a-z_]+ \*) *(_*secbuf_[a-z0-9_]+)\(.*/\2@@SECBUF_0.1/p' |
	sort > "$tmp/declared"

echo "TAP version 13"
echo "1..2"
result "exported symbols are those of the map" "$tmp/map" "$tmp/exported"
result "declared functions are those of the map" "$tmp/map" "$tmp/declared"
echo "# Totals: pass:$((nr - failed)) fail:$failed xfail:0 xpass:0" \
	"skip:0 error:0"
[ $failed -eq 0 ]
