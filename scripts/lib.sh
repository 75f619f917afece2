# shellcheck shell=bash
# For the scripts beside it: what is installed, what is missing, where things are.
# Sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root

# shellcheck disable=SC2034  # used by those who source this
# What the build needs; libboost1.81-dev by its full name, for libboost-dev is 1.74.
readonly build_packages=(
	g++ cmake ninja-build ccache git pkg-config ca-certificates
	libboost1.81-dev libssl-dev libexpected-dev libfmt-dev libsimdjson-dev
	nlohmann-json3-dev libyaml-cpp-dev prometheus-cpp-dev libgtest-dev libgmock-dev
)

say() {
	local bold='' plain=''
	if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
		bold=$'\033[1m' plain=$'\033[0m'
	fi
	printf '\n%s== %s%s\n' "$bold" "$*" "$plain"
}

die() {
	printf '%s: %s\n' "$(basename "$0")" "$*" >&2
	exit 1
}

# Installs the packages that are missing, all at once; says so first.
install_packages() {
	local missing=() package
	command -v dpkg-query >/dev/null ||
		die "this is not Debian: install $* yourself, then build with cmake --preset release"
	for package in "$@"; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' ||
			missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	local as_root=()
	if [ "$(id -u)" -ne 0 ]; then
		command -v sudo >/dev/null || die "missing packages: ${missing[*]} (need root or sudo)"
		as_root=(sudo)
	fi
	say "Installing ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	"${as_root[@]}" apt-get update -qq || die "apt-get update failed: is there a network?"
	"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
		die "apt-get could not install: ${missing[*]}"
}

# build PRESET [TARGET...]
build() {
	local preset=$1
	shift
	(
		cd "$root"
		cmake --preset "$preset" >"build/$preset.configure.log" 2>&1 ||
			{ tail -n 20 "build/$preset.configure.log" >&2 && exit 1; }
		cmake --build --preset "$preset" -- --quiet "$@"
	) || die "building the preset $preset failed"
}
