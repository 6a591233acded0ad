# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The kernels of the other lanes; kernel.sh sources this. debug and native are
# built from Debian's source of 7.3, rt is Debian's own 6.1, and stock612 its
# 6.12. All of it goes to the cache; nothing is installed, and apt's sources
# stay as they are.

source73=linux-source-7.3
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# The Debian mirror that this machine uses.
mirror()
{
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format \
		'$(CREATED_BY) $(RELEASE) $(COMPONENT) $(REPO_URI)' |
	awk '$1 == "Packages" && $2 == "bookworm" && $3 == "main" {
		print $4; exit }'
}

# foreign APT-COMMAND...: apt that knows foreign_suite's suite and nothing else.
# Its state is in ./apt; proxies and the like still come from the machine.
foreign()
{
	"$1" -qq -o APT::Sandbox::User=root \
		-o Dir::State="$PWD/apt" -o Dir::Cache="$PWD/apt" \
		-o Dir::State::status="$PWD/apt/status" \
		-o Dir::Etc::SourceList="$PWD/apt/sources.list" \
		-o Dir::Etc::SourceParts=- -o Dir::Etc::Preferences=- \
		-o Dir::Etc::PreferencesParts=- "${@:2}"
}

# foreign_suite SUITE: begins an ./apt of its own
foreign_suite()
{
	local uri

	[ -f $keyring ] || die "$keyring is missing: run scripts/deps.sh check"
	uri=$(mirror)
	[ -n "$uri" ] || die "apt has no bookworm mirror to take $1 from"
	mkdir -p apt/lists/partial apt/archives/partial
	touch apt/status
	echo "deb [signed-by=$keyring] $uri $1 main" >apt/sources.list
	if ! patiently foreign apt-get update >>apt.log 2>&1; then
		sed 's/^/  /' apt.log >&2
		die "cannot read the list of $1"
	fi
}

# foreign_download PACKAGE: leaves one .deb more in the current directory
foreign_download()
{
	echo "downloading $1" >&2
	if ! patiently foreign apt-get download "$1" >>apt.log 2>&1; then
		sed 's/^/  /' apt.log >&2
		die "cannot download $1"
	fi
}

# The source without what these kernels do not use: two thirds of it.
unpack_source73()
{
	local version

	foreign_suite trixie-backports
	foreign_download $source73
	version=$(dpkg-deb -f ./*.deb Version)

	echo "unpacking $source73 $version" >&2
	dpkg-deb --fsys-tarfile ./*.deb |
	tar -xO ./usr/src/$source73.tar.xz |
	tar -xJ --strip-components=1 \
		--exclude="$source73/Documentation/*.rst" \
		--exclude="$source73/Documentation/*.yaml" \
		--exclude="$source73/drivers/gpu/*.[ch]" \
		--exclude="$source73/drivers/media/*.[ch]" \
		--exclude="$source73/drivers/net/ethernet/*.[ch]" \
		--exclude="$source73/drivers/net/wireless/*.[ch]" \
		--exclude="$source73/sound/*.[ch]" \
		--exclude="$source73/tools/perf" \
		--exclude="$source73/tools/testing"
	find arch -type f ! -path 'arch/x86/*' ! -path 'arch/um/*' \
		! -path 'arch/arm64/*' ! -name 'Kconfig*' -delete
	rm -r ./*.deb apt apt.log
	echo "$version" >secbuf-version
}

# One without arm64 is of no use, and not of this making.
source73()
{
	local dir

	dir=$(cache_dir)/$source73
	[ -e "$dir/arch/arm64/Makefile" ] || rm -rf "$dir"
	unpack $source73 unpack_source73
	echo "$dir"
}

# fragments KIND: what is set in its configuration
fragments()
{
	local lanes

	lanes=$(cd "$(dirname "$0")/../lanes" && pwd)
	case $1 in
	debug)		echo "$lanes/x86-debug.config" ;;
	kcsan)		echo "$lanes/x86-debug.config" "$lanes/x86-kcsan.config" ;;
	native)		echo "$lanes/um.config" ;;
	native-preempt)	echo "$lanes/um.config" "$lanes/um-preempt.config" ;;
	*)		die "no such kernel: '$1' (debug, kcsan, native," \
				"native-preempt)" ;;
	esac
}

# Says from time to time how far a long make has got.
watch_make()
{
	local kind=$1 log=$2 start=$SECONDS

	while sleep 20 && kill -0 $$; do
		echo "building the $kind kernel: $((SECONDS - start)) s," \
		     "$(grep -c '^ *CC ' "$log") files compiled" >&2
	done
}

# Modules need headers, scripts and symbols of a build, not its objects.
prune_build()
{
	local tool=tools/objtool/objtool

	find . -mindepth 1 -maxdepth 1 ! -name arch ! -name include \
		! -name scripts ! -name tools ! -name Makefile \
		! -name Module.symvers ! -name .config ! -name build.log \
		! -name image -exec rm -r {} +
	if [ -e $tool ]; then
		mv $tool objtool
		rm -r tools
		mkdir -p "${tool%/*}"
		mv objtool $tool
	fi
	find arch \( -name '*.o' -o -name '*.a' -o -name '.*.cmd' \
		-o -name 'vmlinux*' -o -name bzImage \) -delete
}

# build_kernel KIND CONFIG: in the current directory, which must keep its name
build_kernel()
{
	local kind=$1 config=$2 src arch product watcher status=0 only=''

	case $kind in
	debug)	arch=x86_64 product=bzImage ;;
	# Modules alone are watched: what they do among themselves is in question,
	# and the kernel stays as fast as it was.
	kcsan)	arch=x86_64 product=bzImage only=KCSAN_SANITIZE=n ;;
	*)	arch=um product=linux ;;
	esac
	src=$(source73)
	echo "building the $kind kernel, which takes minutes" >&2
	: >build.log
	watch_make "$kind" build.log &
	watcher=$!
	{
		MAKEFLAGS='' KCONFIG_ALLCONFIG=$config \
			make -C "$src" O="$PWD" ARCH=$arch allnoconfig &&
		MAKEFLAGS='' make -C "$src" O="$PWD" ARCH=$arch \
			-j"$(nproc)" $only $product modules
	} >>build.log 2>&1 </dev/null || status=1
	kill $watcher
	if [ $status -ne 0 ]; then
		tail -n 30 build.log >&2
		die "the $kind kernel does not build"
	fi
	case $kind in
	debug|kcsan)
		mv arch/x86/boot/bzImage image ;;
	*)	mv linux image ;;
	esac
	prune_build
}

# build KIND: prints the directory of the finished build. Its "image" boots,
# and modules are built with KDIR set to it. A directory without "complete" was
# interrupted, and make carries on there; two at once wait for each other.
build()
{
	local kind=$1 files key dir version

	files=$(fragments "$kind")
	version=$(cat "$(source73)/secbuf-version")
	# shellcheck disable=SC2086 # one or two files
	key=$({ echo "$version"; cat $files; } | sha256sum | cut -c 1-12)
	dir=$(cache_dir)/linux-7.3-$kind-$key
	mkdir -p "$dir"
	(
		flock 8
		[ ! -e "$dir/complete" ] || exit 0
		cd "$dir" || exit
		# shellcheck disable=SC2086
		cat $files >fragment
		build_kernel "$kind" "$dir/fragment"
		touch complete
	) 8>"$dir.lock"
	echo "$dir"
}

# The newest 6.1 RT kernel of which apt has both image and headers.
rt_release()
{
	apt-cache search --names-only \
		'^linux-(headers|image)-6\.1\.0-[0-9]+-rt-amd64$' |
	sed -E 's/^linux-(headers|image)-([^ ]+).*/\2/' |
	sort -V | uniq -d | tail -n 1
}

# unpack_boot: the kernel, modules that tests use, and headers of a .deb
unpack_boot()
{
	dpkg-deb --fsys-tarfile ./*.deb |
	tar -x --exclude='./boot/[!v]*' --exclude='./lib/modules/*/build' \
		--exclude='./lib/modules/*/source' \
		--exclude='./lib/modules/*/modules.*' --exclude=./usr/share \
		--exclude='./lib/modules/*/kernel/[!d]*' \
		--exclude='./lib/modules/*/kernel/drivers/[!b]*' \
		--exclude='./lib/modules/*/kernel/drivers/b[!l]*'
	rm ./*.deb
}

# arrange REL COMMON FINAL: "image" and "build" side by side. The headers'
# Makefiles know each other by absolute names.
arrange()
{
	mv boot/vmlinuz-* image
	mv usr/src/linux-headers-"$1" build
	mv usr/src/linux-headers-"$2" common
	sed -i "s|/usr/src/linux-headers-$2|$3/common|" build/Makefile
	find lib -name brd.ko.xz -exec xz -d {} +
	find lib -name brd.ko -exec mv {} . \;
	rm -rf boot lib
}

# kbuild's programs are those of the stock headers.
unpack_rt()
{
	local rel=${1#linux-} common

	common=${rel%-rt-amd64}-common-rt
	for package in linux-image-"$rel" linux-headers-"$rel" \
			linux-headers-"$common"; do
		download "$package"
		unpack_boot
	done
	arrange "$rel" "$common" "$(cache_dir)/$1"
	for link in {build,common}/{scripts,tools}; do
		[ ! -L "$link" ] ||
			ln -sfn "/usr/lib/linux-kbuild-6.1/${link#*/}" "$link"
	done
	rm -r usr apt.log
}

# rt: prints a directory with Debian's 6.1 RT "image" and its "build"
rt()
{
	local rel cache

	cache=$(cache_dir)
	rel=$(rt_release)
	if [ -n "$rel" ]; then
		unpack "linux-$rel" unpack_rt
		echo "$cache/linux-$rel"
	else
		die "apt knows no 6.1 RT kernel: try apt-get update"
	fi
}

# The newest 6.12 of which there are image and headers.
release612()
{
	foreign apt-cache search --names-only \
		'^linux-(headers|image)-6\.12\.[0-9]+\+deb12-amd64$' 2>>apt.log |
	sed -E 's/^linux-(headers|image)-([^ ]+).*/\2/' |
	sort -V | uniq -d | tail -n 1
}

unpack_stock612()
{
	local rel common kbuild

	foreign_suite bookworm-backports
	rel=$(release612)
	[ -n "$rel" ] || die "bookworm-backports has no 6.12"
	common=${rel%-amd64}-common
	kbuild=linux-kbuild-${rel%-amd64}
	for package in linux-image-"$rel" linux-headers-"$rel" \
			linux-headers-"$common" "$kbuild"; do
		foreign_download "$package"
		unpack_boot
	done
	arrange "$rel" "$common" "$(cache_dir)/$1"
	mv usr/lib/"$kbuild" kbuild
	for link in {build,common}/{scripts,tools}; do
		[ ! -L "$link" ] || ln -sfn "../kbuild/${link#*/}" "$link"
	done
	echo "$rel" >release
	rm -r usr apt apt.log
}

# stock612: prints a directory with "image", "build" and "brd.ko" of the 6.12
# that Debian 12 has in its backports
stock612()
{
	unpack linux-stock612 unpack_stock612
	echo "$(cache_dir)/linux-stock612"
}
