# shellcheck shell=bash
# For scripts/controlplane: the components, built from Go modules and kept in the cache.
# Sourced, not run; uses `me`, `root`, `cannot_be_had` and `die` of that script.

# shellcheck disable=SC2154  # set by who sources this
readonly source_dir=$root/tests/e2e/controlplane

find_go() {
	local go
	go=$(command -v go || true)
	[ -n "$go" ] || { [ -x /usr/local/go/bin/go ] && go=/usr/local/go/bin/go; }
	[ -n "$go" ] || die "$cannot_be_had" \
		"Go is not installed: install Go 1.26, or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl"
	# From 1.21 on Go fetches the toolchain that go.mod names; before, it cannot even read the file.
	local minor
	minor=$("$go" env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
	[ "${minor:-99}" -ge 21 ] || die "$cannot_be_had" "$go is 1.$minor: install Go 1.26, or set KUBEBUILDER_ASSETS"
	printf '%s\n' "$go"
}

# kubernetes_in MODULE_FILE: the version that it requires, v1.36.3.
kubernetes_in() {
	sed -n 's/^\tk8s\.io\/kubernetes \(v1\.[0-9.]*\)$/\1/p' "$1"
}

# module_file [MINOR]: the one that requires that minor version; without it go.mod, the newest.
module_file() {
	local file version known=()
	for file in "$source_dir"/go.mod "$source_dir"/kubernetes-*.mod; do
		version=$(kubernetes_in "$file")
		case $version in
		"v${1:-1}".*) printf '%s\n' "$file" && return ;;
		esac
		version=${version#v}
		known+=("${version%.*}")
	done
	die 2 "SMW_KUBERNETES is $1: tests/e2e/controlplane has module files for ${known[*]}"
}

link_flags() { # version
	local minor=${1#v1.} package flags="-s -w"
	# The components compare versions (kubectl with the server, the server with its feature gates).
	for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
		flags+=" -X $package.gitVersion=$1 -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*}"
	done
	printf '%s\n' "$flags"
}

# compile MODULE_FILE DIR: the program and a link for each component, so that DIR looks like
# KUBEBUILDER_ASSETS.
compile() {
	local go version flags component target=$2
	go=$(find_go)
	version=$(kubernetes_in "$1")
	flags=$(link_flags "$version")
	cd "$source_dir"
	printf '%s: building Kubernetes %s, this takes minutes the first time\n' "$me" "$version" >&2
	CGO_ENABLED=0 nice "$go" build -modfile "$1" -trimpath -buildvcs=false -ldflags "$flags" -o "$target/$me" . >&2 ||
		die 1 "the build in $source_dir with $1 failed"
	for component in etcd kube-apiserver kube-controller-manager kubectl; do
		ln -sf "$me" "$target/$component"
	done
}

build_from_source() { # [minor]
	local modules cache key out
	modules=$(module_file "${1:-}")
	cache=${SMW_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/stateful-migration-webhook}
	key=$(cat "$source_dir/main.go" "$modules" "${modules%.mod}.sum" <(uname -sm) | sha256sum | cut -c1-16)
	out=$cache/$me-$key
	if [ ! -x "$out/kube-apiserver" ]; then
		mkdir -p "$cache"
		(
			# Two builds at once would do the same work twice; the second finds the first one's result.
			flock 9
			[ ! -x "$out/kube-apiserver" ] || exit 0
			rm -rf "$out.new"
			mkdir "$out.new"
			compile "$modules" "$out.new"
			mv "$out.new" "$out"
		) 9>"$cache/$me.lock"
	fi
	printf '%s\n' "$out"
}

build() {
	local component
	if [ -n "${SMW_KUBERNETES:-}" ] || [ -z "${KUBEBUILDER_ASSETS:-}" ]; then
		build_from_source "${SMW_KUBERNETES:-}"
		return
	fi
	for component in etcd kube-apiserver kubectl; do
		[ -x "$KUBEBUILDER_ASSETS/$component" ] ||
			die "$cannot_be_had" "KUBEBUILDER_ASSETS has no $component: $KUBEBUILDER_ASSETS"
	done
	(cd "$KUBEBUILDER_ASSETS" && pwd)
}
