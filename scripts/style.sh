#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
#
# checkpatch over all C files, shellcheck over all scripts, the layer rule.

set -eu -o pipefail

cd "$(dirname "$0")/.."
bad=0
trap 'rm -f .checkpatch-camelcase.*' EXIT	# checkpatch's cache

sources()
{
	find "$@" -name '*.[ch]' ! -name '*.mod.c' ! -path '*/build*/*' 2>/dev/null |
	sort || true
}

# checkpatch IGNORED FILE...: CAMELCASE complains of the kernel's own names
checkpatch()
{
	local ignored=$1

	shift
	[ $# -gt 0 ] || return 0
	"$checkpatch" --no-tree --strict --terse --no-summary --show-types \
		--ignore "CAMELCASE,$ignored" -f "$@" || bad=1
}

check_c()
{
	local files user

	checkpatch=$(scripts/kernel.sh source)/scripts/checkpatch.pl
	mapfile -t files < <(sources kmod examples/kernel selftests/kernel \
		bench/kernel | grep -v -e ^kmod/compat/ -e ^kmod/cursor.c -e ^kmod/buffer.c \
		-e ^kmod/trace.h)
	checkpatch '' "${files[@]}"
	# The macros that make tracepoints are laid out their own way.
	checkpatch OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT,TRAILING_STATEMENTS \
		kmod/trace.h
	# Comparing versions is what compat is for.
	mapfile -t files < <(sources kmod/compat)
	checkpatch LINUX_VERSION_CODE,CONSTANT_COMPARISON "${files[@]}"
	# Exports what the codec defines.
	checkpatch EXPORT_SYMBOL kmod/cursor.c kmod/buffer.c
	# Neither may use the kernel's macros and types.
	mapfile -t files < <(sources uapi)
	checkpatch BIT_MACRO "${files[@]}"
	# Annotations for the prover are laid out their own way, and text for the
	# assembler is put together by macros.
	mapfile -t files < <(sources codec)
	checkpatch PREFER_KERNEL_TYPES,ARCH_DEFINES,COMPLEX_MACRO,BLOCK_COMMENT_STYLE,MACRO_ARG_REUSE "${files[@]}"
	# Programs have no ARRAY_SIZE(), u8 or __printf(), get ENOSYS from the
	# kernel and wrap their long texts; C11 asserts about constants.
	user=PREFER_KERNEL_TYPES,ARRAY_SIZE,PREFER_DEFINED_ATTRIBUTE_MACRO
	user+=,CONSTANT_COMPARISON,EMBEDDED_FUNCTION_NAME,VOLATILE
	user+=,SPLIT_STRING,LONG_LINE_STRING,ENOSYS
	mapfile -t files < <(sources libsecbuf-user tools examples/ssh-agent \
		scripts fuzz | grep -v ^libsecbuf-user/test/)
	checkpatch "$user" "${files[@]}"
	# kselftest's macros take whole bodies.
	user+=,MACRO_ARG_REUSE,MULTISTATEMENT_MACRO_USE_DO_WHILE,SPACING
	user+=,MACRO_WITH_FLOW_CONTROL,LINE_SPACING,COMPLEX_MACRO
	mapfile -t files < <(sources selftests bench libsecbuf-user/test |
		grep -v -e ^selftests/kernel/ -e ^bench/kernel/)
	checkpatch "$user" "${files[@]}"
}

check_scripts()
{
	local files

	mapfile -t files < <(find . -path ./.git -prune -o -type f -print |
		grep -v '/build' | while read -r file; do
			case $(head -c 40 "$file" | tr -d '\0' | head -n 1) in
			'#!'*sh)	echo "$file" ;;
			esac
		done)
	shellcheck -x -S warning "${files[@]}" || bad=1
}

check_c
check_scripts
scripts/check-includes.sh || bad=1
exit $bad
