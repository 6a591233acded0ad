# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Kernels that modules are compiled for without booting them; kernel.sh sources
# this. A tree is Debian's source of one version, configured and prepared for
# one compiler and architecture, and never built.

# What a tree without drivers and file systems needs not: most of it.
unpack_headers_of()
{
	local top=$1

	dpkg-deb --fsys-tarfile ./*.deb |
	tar -xO "./usr/src/$top.tar.xz" |
	tar -xJ --strip-components=1 \
		--exclude="$top/Documentation/*.rst" \
		--exclude="$top/Documentation/*.yaml" \
		--exclude="$top/drivers/*.[chS]" \
		--exclude="$top/fs/*.[ch]" \
		--exclude="$top/net/*.[ch]" \
		--exclude="$top/samples/*.[ch]" \
		--exclude="$top/sound/*.[ch]" \
		--exclude="$top/tools/perf" \
		--exclude="$top/tools/testing"
	find arch -type f ! -path 'arch/x86/*' ! -path 'arch/arm64/*' \
		! -name 'Kconfig*' -delete
	dpkg-deb -f ./*.deb Version >secbuf-version
	rm ./*.deb
}

unpack_headers61()
{
	download linux-source-6.1
	unpack_headers_of linux-source-6.1
	rm apt.log
}

unpack_headers612()
{
	foreign_suite bookworm-backports
	foreign_download linux-source-6.12
	unpack_headers_of linux-source-6.12
	rm -r apt apt.log
}

# tree_source VERSION: prints the directory of the source
tree_source()
{
	local cache

	cache=$(cache_dir)
	case $1 in
	6.1|6.12)
		unpack "linux-headers-of-$1" "unpack_headers${1/./}"
		echo "$cache/linux-headers-of-$1"
		;;
	7.3)	source73 ;;
	*)	die "no source of kernel '$1' (6.1, 6.12, 7.3)" ;;
	esac
}

# tree_kdir VERSION: where the configuration and the symbols of x86 come from
tree_kdir()
{
	case $1 in
	6.1)	headers ;;
	6.12)	echo "$(stock612)/build" ;;
	7.3)	build debug ;;
	esac
}

# prepare_tree SOURCE MAKE-ARGUMENT...: in the current directory; a .config that
# is there is used, otherwise it is the default
prepare_tree()
{
	local src=$1 config=defconfig

	shift
	[ ! -e .config ] || config=olddefconfig
	MAKEFLAGS='' make -C "$src" O="$PWD" "$@" $config &&
	MAKEFLAGS='' make -C "$src" O="$PWD" "$@" -j"$(nproc)" modules_prepare
}

# tree VERSION ARCH COMPILER: prints the directory of the tree, a KDIR. On
# x86_64 it is configured as the kernel of that version that boots.
tree()
{
	local version=$1 arch=$2 cc=$3 src kdir='' dir key

	command -v "$cc" >/dev/null || die "no $cc: run scripts/deps.sh check"
	src=$(tree_source "$version")
	[ "$arch" != x86_64 ] || kdir=$(tree_kdir "$version")
	key=$({ cat "$src/secbuf-version"; "$cc" --version
		[ -z "$kdir" ] || cat "$kdir/.config"; } |
	      sha256sum | cut -c 1-12)
	dir=$(cache_dir)/linux-tree-$version-$arch-$cc-$key
	mkdir -p "$dir"
	(
		flock 8
		[ ! -e "$dir/complete" ] || exit 0
		cd "$dir" || exit
		echo "preparing a $version for $arch and $cc" >&2
		[ -z "$kdir" ] || cp "$kdir/.config" "$kdir/Module.symvers" .
		if ! prepare_tree "$src" ARCH="$arch" CC="$cc" \
				CROSS_COMPILE="$(cross_compile "$arch")" \
				>prepare.log 2>&1 </dev/null; then
			tail -n 20 prepare.log >&2
			die "cannot prepare the $version for $arch and $cc"
		fi
		touch complete
	) 8>"$dir.lock"
	echo "$dir"
}

# cross_compile ARCH: what the names of the compiler's own tools begin with
cross_compile()
{
	[ "$1" != arm64 ] || echo aarch64-linux-gnu-
}
