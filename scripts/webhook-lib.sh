# shellcheck shell=bash
# What deploy-webhook.sh, generate-webhook-certs.sh and undeploy-webhook.sh share: settings, errors,
# the cluster, the manifests of deploy/. Sourced, not run.

export LC_ALL=C
umask 077

me=$(basename "$0")
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly me root

# The names of deploy/. These two and the namespace are settings; the others are the same everywhere.
readonly default_namespace=stateful-migration
readonly default_service=stateful-migration-webhook-service
# Label `app` of every object, and name of the account, the roles, the DaemonSet or Deployment.
readonly app=stateful-migration-webhook
readonly configuration=stateful-migration-pod-mutator-alt
# shellcheck disable=SC2034  # read by webhook-install.sh
readonly webhook_name=pod-mutator.migration.dcnlab.com
readonly crd=checkpointbackups.migration.dcnlab.com
readonly certs_secret=stateful-migration-webhook-certs ca_secret=stateful-migration-webhook-ca
# Says of a namespace that a script made it, so that undeploy-webhook.sh may delete it.
# shellcheck disable=SC2034  # read by webhook-install.sh
readonly created_by=migration.dcnlab.com/created-by

# Exit status of these scripts.
readonly failed=1 usage_error=2 out_of_reach=3

dry_run=false
context_flags=()
# How kubectl, and in next_script a script, is named in what to run next.
kubectl=kubectl
applied=()
# Before each line that is said: '# ' where the manifests follow.
mark=

work=$(mktemp -d)
readonly work
trap 'rm -rf "$work"' EXIT
trap 'die 130 interrupted' INT
trap 'die 143 terminated' TERM

# --- what is said --------------------------------------------------------------------------------------

say() {
	printf '%s%s\n' "$mark" "$*"
}

die() { # status message
	local so_far=
	if [ ${#applied[@]} -gt 0 ]; then
		so_far=" (done so far: $(join ', ' "${applied[@]}"); running $me again goes on from there)"
	fi
	printf '%s: %s%s\n' "$me" "$2" "$so_far" >&2
	exit "$1"
}

join() { # separator word…
	local separator=$1 result=${2:-} word
	shift
	[ $# -eq 0 ] || shift
	for word in "$@"; do
		result+=$separator$word
	done
	printf '%s' "$result"
}

# What kubectl said, in one line, without the retries that its library logs.
why() {
	local line lines=()
	while IFS= read -r line; do
		[[ $line =~ ^[EWI][0-9]{4}\  || -z $line ]] || lines+=("${line#error: }")
	done <"$work/stderr"
	[ ${#lines[@]} -gt 0 ] || lines=("no reason given")
	join '; ' "${lines[@]}"
}

# must WHAT NEXT COMMAND…: runs it. When it fails: what was attempted, why, and what to run next.
must() {
	local what=$1 next=$2
	shift 2
	"$@" 2>"$work/stderr" || die "$failed" "$what: $(why); $next"
	# Warnings of the API server.
	cat "$work/stderr" >&2
}

# next_script NAME [FLAG…]: the command with the settings that are not the defaults, and the context.
next_script() {
	local command=
	[ "$NAMESPACE" = "$default_namespace" ] || command+="NAMESPACE=$NAMESPACE "
	[ "$SERVICE_NAME" = "$default_service" ] || command+="SERVICE_NAME=$SERVICE_NAME "
	command+="scripts/$1.sh${kubectl#kubectl}"
	shift
	printf '%s' "$command${*:+ $*}"
}

# --- settings ------------------------------------------------------------------------------------------

settings_errors=()

wrong() { # variable what-it-must-be
	settings_errors+=("$1='${!1}' must be $2")
}

is_one_of() { # value choice…
	local value=$1 choice
	shift
	for choice in "$@"; do
		[ "$value" != "$choice" ] || return 0
	done
	return 1
}

# Where everything lives: what all three scripts read.
load_place() {
	NAMESPACE=${NAMESPACE:-$default_namespace}
	SERVICE_NAME=${SERVICE_NAME:-$default_service}
	[[ $NAMESPACE =~ ^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$ ]] ||
		wrong NAMESPACE "a namespace's name: at most 63 of a-z, 0-9 and inner dashes"
	[[ $SERVICE_NAME =~ ^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$ ]] ||
		wrong SERVICE_NAME "a Service's name: a letter, then at most 62 of a-z, 0-9 and inner dashes"
}

# All errors at once, a line each.
check_settings() {
	local error
	[ ${#settings_errors[@]} -gt 0 ] || return 0
	for error in "${settings_errors[@]}"; do
		printf '%s: %s; see %s --help\n' "$me" "$error" "$me" >&2
	done
	exit "$usage_error"
}

# The flags that all three take; fails for another one. Sets `taken`, how many words it was.
take_common_flag() { # flag [value]
	taken=1
	case $1 in
	--dry-run) dry_run=true ;;
	--context)
		[ -n "${2:-}" ] || die "$usage_error" "--context needs a name: kubectl config get-contexts"
		context_flags=(--context "$2")
		printf -v kubectl 'kubectl --context %q' "$2"
		taken=2
		;;
	-h | --help)
		usage
		exit 0
		;;
	*) return 1 ;;
	esac
}

# --- the cluster ---------------------------------------------------------------------------------------

kube() {
	kubectl "${context_flags[@]}" "$@"
}

in_namespace() {
	kube --namespace "$NAMESPACE" "$@"
}

need() { # program where-from
	command -v "$1" >/dev/null || die "$out_of_reach" "$1 is not in PATH: install it ($2)"
}

context_name() {
	if [ ${#context_flags[@]} -gt 0 ]; then
		printf '%s' "${context_flags[1]}"
	else
		kube config current-context 2>/dev/null || printf 'none'
	fi
}

# Sets `server_minor` and says which cluster this is, or says why there is none.
connect() {
	local version
	need kubectl https://kubernetes.io/docs/tasks/tools
	version=$(kube get --raw /version --request-timeout=10s 2>"$work/stderr") ||
		die "$out_of_reach" "no cluster answers in context $(context_name): $(why); choose one by --context or KUBECONFIG: kubectl config get-contexts"
	[[ $version =~ \"minor\":\ *\"([0-9]+) ]] ||
		die "$out_of_reach" "what answers in context $(context_name) is no Kubernetes API server: $kubectl cluster-info"
	server_minor=${BASH_REMATCH[1]}
}

# What may be done, by "verb resource scope": true or false.
declare -A allowed=()

# ask_rights LINE…: each "verbs,by,comma resource" with, where it is not our namespace, another one or
# "cluster". All are asked by one kubectl.
ask_rights() {
	local line verbs resource scope verb group namespace answer asked=()
	for line in "$@"; do
		read -r verbs resource scope <<<"$line"
		group='' namespace=$NAMESPACE
		[[ $resource != *.* ]] || group=${resource#*.}
		case $scope in
		'') ;;
		cluster) namespace='' ;;
		*) namespace=$scope ;;
		esac
		for verb in ${verbs//,/ }; do
			asked+=("$verb $resource $scope")
			printf -- '---\napiVersion: authorization.k8s.io/v1\nkind: SelfSubjectAccessReview\nspec:\n'
			printf '  resourceAttributes: {verb: %s, group: "%s", resource: "%s", namespace: "%s"}\n' \
				"$verb" "$group" "${resource%%.*}" "$namespace"
		done
	done >"$work/rights.yaml"
	must "asking for the rights of your account" "$kubectl auth can-i --list" \
		kube create --validate=false -f "$work/rights.yaml" -o 'go-template={{.status.allowed}}{{"\n"}}' >"$work/rights"
	while read -r answer; do
		allowed[${asked[0]}]=$answer
		asked=("${asked[@]:1}")
	done <"$work/rights"
}

# may VERB RESOURCE [SCOPE]: one of those that were asked for.
may() {
	[ "${allowed["$1 $2 ${3:-}"]:-}" = true ]
}

# need_rights LINE…: of those that were asked for.
need_rights() {
	local line verbs resource scope verb missing=()
	for line in "$@"; do
		read -r verbs resource scope <<<"$line"
		for verb in ${verbs//,/ }; do
			may "$verb" "$resource" "$scope" ||
				missing+=("$verb $resource${scope:+ in ${scope/#cluster/the cluster}}")
		done
	done
	[ ${#missing[@]} -eq 0 ] ||
		die "$failed" "your account in context $(context_name) lacks rights: $(join ', ' "${missing[@]}"); use one that has them: kubectl config get-contexts"
}

# --- what is there -------------------------------------------------------------------------------------

# By kind/name in lower case: whose it is (ours or theirs), and what tells whether it was changed.
declare -A owners=() marks=()

# look KIND/NAME…: all by one kubectl. Facts are in $work/look, whose lines webhook-look.tmpl writes.
look() {
	must "looking at what is there" "$kubectl --namespace $NAMESPACE get $*" \
		in_namespace get "$@" --ignore-not-found -o "go-template-file=$root/scripts/webhook-look.tmpl" >>"$work/look"
	read_marks <"$work/look"
}

read_marks() {
	local fact object label mark
	while read -r fact object label mark; do
		[ "$fact" = object ] || continue
		marks[${object,,}]=$mark
		owners[${object,,}]=theirs
		[ "$label" != "$app" ] || owners[${object,,}]=ours
	done
}

# facts NAME: its lines, the object first.
facts() {
	local fact rest
	while read -r fact rest; do
		[ "$fact" != "$1" ] || printf '%s\n' "$rest"
	done <"$work/look"
}

is_line() { # line text
	[[ $'\n'$2$'\n' == *$'\n'"$1"$'\n'* ]]
}

# owner_of KIND[.GROUP]/NAME: ours, theirs or absent.
owner_of() {
	local kind=${1%%/*}
	printf '%s' "${owners[${kind%%.*}/${1#*/}]:-absent}"
}

is_absent() { # kind/name
	[ "$(owner_of "$1")" = absent ]
}

# Of our namespace: absent, active or terminating; sets also `namespace_is_ours`.
judge_namespace() {
	local object=Namespace/$NAMESPACE
	namespace_state=active namespace_is_ours=false
	! is_absent "namespace/$NAMESPACE" || namespace_state=absent
	! is_line "$object" "$(facts leaving)" || namespace_state=terminating
	# shellcheck disable=SC2034  # read by undeploy-webhook.sh
	! is_line "$object deploy-webhook.sh" "$(facts created-by)" || namespace_is_ours=true
}

refuse_terminating_namespace() {
	[ "$namespace_state" != terminating ] ||
		die "$failed" "namespace $NAMESPACE is being deleted: wait until it is gone ($kubectl get namespace $NAMESPACE -o yaml says what holds it), then run $me again"
}

# An installation in another namespace, or under another Service, is not this one.
refuse_other_installation() {
	local found namespace service
	found=$(facts calls)
	[ -n "$found" ] || found=$(facts bound)
	while read -r _ namespace service _; do
		if [ -n "$namespace" ] && [ "$namespace/${service:-$SERVICE_NAME}" != "$NAMESPACE/$SERVICE_NAME" ]; then
			NAMESPACE=$namespace SERVICE_NAME=${service:-$SERVICE_NAME}
			die "$failed" "the cluster has an installation in namespace $namespace${service:+ with Service $service}: $(next_script undeploy-webhook) takes it away"
		fi
	done <<<"$found"
}

# --- the manifests of deploy/ --------------------------------------------------------------------------

# mark_word LINE WORD MARK: sets REPLY to LINE with MARK for each WORD that has no letter, digit or dash
# beside it.
mark_word() {
	local tail=
	REPLY=$1
	while [[ $REPLY =~ ^(.*[^a-z0-9-])?"$2"([^a-z0-9-].*)?$ ]]; do
		tail=$3${BASH_REMATCH[2]}$tail
		REPLY=${BASH_REMATCH[1]}
	done
	REPLY+=$tail
}

# render FILE: a manifest with NAMESPACE, SERVICE_NAME, IMAGE and IMAGE_TAG in place of the defaults.
render() {
	local line namespace_mark=$'\001' service_mark=$'\002'
	while IFS= read -r line; do
		# First marks, then values: a namespace may have the default name of the Service.
		mark_word "$line" "$default_service" "$service_mark"
		mark_word "$REPLY" "$default_namespace" "$namespace_mark"
		line=$REPLY
		# A name that is all of a value is quoted: to YAML `123` and `true` are no strings.
		if [[ $line =~ ^(\ *(- |[A-Za-z]+: ))("$namespace_mark"|"$service_mark")$ ]]; then
			line="${BASH_REMATCH[1]}\"${BASH_REMATCH[3]}\""
		fi
		if [[ $line =~ ^(\ *image: )"$app:latest"$ ]]; then
			line="${BASH_REMATCH[1]}\"$(image_reference)\""
		fi
		line=${line//"$namespace_mark"/"$NAMESPACE"}
		printf '%s\n' "${line//"$service_mark"/"$SERVICE_NAME"}"
	done <"$root/deploy/$1"
}

# Of the manifests on stdin those documents in which no line is like PATTERN.
without_documents() { # pattern
	local line document='' keep=true
	while IFS= read -r line || [ -n "$line" ]; do
		if [ "$line" = --- ]; then
			! $keep || printf -- '---\n%s' "$document"
			document='' keep=true
			continue
		fi
		[[ ! $line =~ $1 ]] || keep=false
		document+=$line$'\n'
	done
	! $keep || printf -- '---\n%s' "$document"
}

# Applies the manifests on stdin; flags are kubectl's. What `kubectl apply` left of another installation
# under our names, and these do not have, goes.
apply() {
	kube apply --server-side --force-conflicts --field-manager "$app" "$@" -f -
}

# apply_and_tell WHAT NEXT: the manifests on stdin; says which of them it created, changed or left.
apply_and_tell() {
	local fact object mark created=() changed=() unchanged=()
	# Where it ends in the middle, nobody knows how far it came.
	applied+=("some of $1")
	must "applying $1" "$2" apply -o "go-template-file=$root/scripts/webhook-look.tmpl" >"$work/applied"
	applied=(${applied[@]+"${applied[@]:0:${#applied[@]}-1}"})
	while read -r fact object _ mark; do
		[ "$fact" = object ] || continue
		case ${marks[${object,,}]:-} in
		'') created+=("${object,,}") ;;
		"$mark") unchanged+=("${object,,}") ;;
		*) changed+=("${object,,}") ;;
		esac
	done <"$work/applied"
	read_marks <"$work/applied"
	applied+=(${created[@]+"${created[@]}"} ${changed[@]+"${changed[@]}"})
	[ ${#created[@]} -eq 0 ] || say "created $(join ', ' "${created[@]}")"
	[ ${#changed[@]} -eq 0 ] || say "changed $(join ', ' "${changed[@]}")"
	[ ${#unchanged[@]} -eq 0 ] || say "unchanged: $(join ', ' "${unchanged[@]}")"
}
