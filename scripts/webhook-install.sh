# shellcheck shell=bash
# The steps of deploy-webhook.sh. Sourced, not run.

# --- what is installed ---------------------------------------------------------------------------------

declare -A live=()
declare -rA defaults=([IMAGE]=$app [IMAGE_TAG]=latest [KIND]=daemonset [FAILURE_POLICY]=Ignore [CERTIFICATES]=script
	[NETWORK_POLICY]=no)
# The further rights of self-managed certificates: deploy/rbac-certificates.yaml.
readonly rights_objects=("role/$app-certificates" "rolebinding/$app-certificates" "clusterrole/$app-certificates"
	"clusterrolebinding/$app-certificates")
# What others added to the namespaceSelector, lines of YAML; and the caBundle for our Service.
live_selector=
live_bundle=

look_at_installation() {
	local object objects=("namespace/$NAMESPACE" "crd/$crd" "crd/certificates.cert-manager.io"
		"mutatingwebhookconfiguration/$configuration" "clusterrole/$app" "clusterrolebinding/$app"
		"serviceaccount/$app" "service/$SERVICE_NAME" "daemonset/$app" "deployment/$app"
		"poddisruptionbudget/$app" "secret/$ca_secret" "secret/$certs_secret")
	# Who may not see it has not installed it either.
	! may get networkpolicies.networking.k8s.io || objects+=("networkpolicy/$app")
	! $wait_for_it || objects+=("namespace/$SELF_TEST_NAMESPACE")
	for object in "${rights_objects[@]}"; do
		# shellcheck disable=SC2046  # resource and scope
		! may get $(resource_of "$object") || objects+=("$object")
	done
	look "${objects[@]}"
	judge_namespace
	read_settings
}

# Of one of rights_objects, as need_rights has it: with "cluster" where it is in no namespace.
resource_of() { # kind/name
	printf '%ss.rbac.authorization.k8s.io' "${1%%/*}"
	[[ $1 != cluster* ]] || printf ' cluster'
}

# Sets live[SETTING] to what an installation has, `live_selector` and `live_bundle`. Of both kinds the one
# that was made last is the one that was wanted.
read_settings() {
	local fact object value newest='' created image certificates mode=''
	while IFS=' ' read -r fact object value; do
		case $fact in
		workload)
			read -r created image certificates <<<"$value"
			[[ $(owner_of "${object,,}") = ours && ! $created < $newest ]] || continue
			newest=$created mode=$certificates live[KIND]=${object%%/*}
			live[KIND]=${live[KIND],,}
			image_parts "$image"
			;;
		issued) [ "$object $value" != "Secret/$certs_secret $app" ] || live[CERTIFICATES]=cert-manager ;;
		injected) [ "$value" != "$NAMESPACE/$app" ] || live[CERTIFICATES]=cert-manager ;;
		policy) live[FAILURE_POLICY]=$value ;;
		selector) live_selector+="      ${value/#- /  - }"$'\n' ;;
		calls) [[ $value != "$NAMESPACE $SERVICE_NAME "* || $value = *' none' ]] || live_bundle=${value##* } ;;
		esac
	done <"$work/look"
	[ -z "$mode" ] || live[CERTIFICATES]=$mode
	[ "$(owner_of "networkpolicy/$app")" != ours ] || live[NETWORK_POLICY]=yes
}

image_parts() { # reference
	local name=${1%%@*} last
	last=${name##*/}
	live[IMAGE]=${name%"$last"}${last%%:*}
	case $1 in
	*@*) live[IMAGE_TAG]=${1#*@} ;;
	*) live[IMAGE_TAG]=$([[ $last != *:* ]] || printf '%s' "${last#*:}") ;;
	esac
}

# Gives the settings that were not given what is installed, or their defaults; `taken_over` says which.
settle() {
	local name
	taken_over=
	for name in IMAGE IMAGE_TAG KIND FAILURE_POLICY CERTIFICATES NETWORK_POLICY; do
		[ -z "${!name}" ] || continue
		printf -v "$name" '%s' "${live[$name]:-${defaults[$name]}}"
		[ "${!name}" = "${defaults[$name]}" ] || taken_over+=" $name=${!name}"
	done
	taken_over=${taken_over:+"; as installed:$taken_over"}
}

# --- manifests -----------------------------------------------------------------------------------------

image_reference() {
	case $IMAGE_TAG in
	sha256:*) printf '%s' "$IMAGE@$IMAGE_TAG" ;;
	*) printf '%s' "$IMAGE:$IMAGE_TAG" ;;
	esac
}

# webhook_manifest FAILURE_POLICY [CA_BUNDLE]
webhook_manifest() {
	local line file=webhook.yaml theirs=
	[ "$server_minor" -ge 30 ] || file=webhook-pre-1.30.yaml
	while IFS= read -r line; do
		# The selector is one to the API server: what others added stays only with ours.
		[[ -z $theirs || $line == '      '* ]] || { printf '%s' "$theirs" && theirs=''; }
		case $line in
		'    namespaceSelector:') theirs=$live_selector ;;
		'    failurePolicy: Ignore') line="    failurePolicy: $1" ;;
		'    clientConfig:') line+=${2:+$'\n'"      caBundle: $2"} ;;
		"  name: $configuration")
			[ "$CERTIFICATES" != cert-manager ] ||
				line+=$'\n  annotations:\n    cert-manager.io/inject-ca-from: '"\"$NAMESPACE/$app\""
			;;
		esac
		printf '%s\n' "$line"
	done < <(render "$file")
	printf '%s' "$theirs"
}

# server_manifests: all but the configuration and the CRD, which is not ours, in the order in which they are
# applied.
server_manifests() {
	local file files=(rbac.yaml)
	[ "$CERTIFICATES" != self-managed ] || files+=(rbac-certificates.yaml)
	files+=(service.yaml "$KIND.yaml")
	[ "$CERTIFICATES" != cert-manager ] || files+=(cert-manager.yaml)
	[ "$NETWORK_POLICY" = no ] || files+=(networkpolicy.yaml)
	for file in "${files[@]}"; do
		printf -- '---\n'
		render "$file" | if [ "$CERTIFICATES" = self-managed ]; then without_files; else cat; fi
	done
}

# A server that reads its certificate by the API: no folder for it, and no volume, with which its Pod ends.
without_files() {
	local line skips=false
	while IFS= read -r line; do
		case $line in
		'---') skips=false ;;
		'          volumeMounts:') skips=true ;;
		'            - --cert-dir='*) continue ;;
		'            - --certificates=files') line=${line%files}self-managed ;;
		esac
		$skips || printf '%s\n' "$line"
	done
}

# all_manifests [CA_BUNDLE]
all_manifests() {
	server_manifests
	printf -- '---\n'
	webhook_manifest "$FAILURE_POLICY" "$@"
}

# --- what is made only where it is missing -------------------------------------------------------------

create_namespace() {
	[ "$namespace_state" = absent ] || return 0
	printf 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: "%s"\n  annotations:\n    %s: deploy-webhook.sh\n' \
		"$NAMESPACE" "$created_by" >"$work/namespace.yaml"
	must "creating namespace $NAMESPACE" "$kubectl get namespace $NAMESPACE" \
		kube create -f "$work/namespace.yaml" >/dev/null
	applied+=("namespace $NAMESPACE")
	say "created namespace $NAMESPACE"
}

# `create` never changes one that somebody else made since we looked.
create_crd() {
	if ! is_absent "customresourcedefinition/$crd"; then
		say "left the CustomResourceDefinition $crd as it is"
		return
	fi
	must "creating the CustomResourceDefinition $crd" "$kubectl get crd $crd" \
		kube create -f "$root/deploy/crd.yaml" >/dev/null
	applied+=("CustomResourceDefinition")
	say "created the CustomResourceDefinition $crd"
}

# --- servers -------------------------------------------------------------------------------------------

# The Secrets come first, so that no Pod waits for its certificate.
apply_servers() {
	[ "$CERTIFICATES" != script ] || write_ca_bundles
	{
		[ "$CERTIFICATES" != script ] || secret_manifests
		server_manifests | without_documents '^kind: Namespace$'
	} >"$work/servers.yaml"
	apply_and_tell "the manifests of deploy/" "$kubectl --namespace $NAMESPACE get events" <"$work/servers.yaml"
	[ "$CERTIFICATES" != cert-manager ] || must "waiting for cert-manager" "$kubectl --namespace $NAMESPACE describe certificates" \
		in_namespace wait --for condition=Ready "certificate/$app" --timeout "$ROLLOUT_TIMEOUT" >/dev/null
}

wait_for_rollout() {
	say "waiting for the rollout of $KIND/$app (at most $ROLLOUT_TIMEOUT)"
	in_namespace rollout status "$KIND/$app" --timeout "$ROLLOUT_TIMEOUT" >/dev/null 2>"$work/stderr" ||
		die "$failed" "the rollout of $KIND/$app is not complete after $ROLLOUT_TIMEOUT: $(why); $kubectl --namespace $NAMESPACE describe pods -l app=$app says what is missing, and $kubectl --namespace $NAMESPACE logs -l app=$app --prefix what a Pod that runs waits for"
}

# Sets `others` to what is there of the other kind and is ours.
judge_other_kind() {
	local object objects=("deployment/$app" "poddisruptionbudget/$app")
	others=()
	[ "$KIND" = daemonset ] || objects=("daemonset/$app")
	for object in "${objects[@]}"; do
		[ "$(owner_of "$object")" != ours ] || others+=("$object")
	done
}

# After the rollout, so that there are always servers.
delete_other_kind() {
	judge_other_kind
	delete_ours in_namespace "${others[@]}"
}

# Sets `spare` to the rights of self-managed certificates, where those are of no use any more.
judge_spare_rights() {
	local object
	spare=()
	[ "$CERTIFICATES" != self-managed ] || return 0
	for object in "${rights_objects[@]}"; do
		[ "$(owner_of "$object")" != ours ] || spare+=("$object")
	done
}

# Once no server is left that makes certificates itself.
delete_spare_rights() {
	[ "$CERTIFICATES" != self-managed ] || return 0
	delete_ours in_namespace "role/$app-certificates" "rolebinding/$app-certificates"
	delete_ours kube "clusterrole/$app-certificates" "clusterrolebinding/$app-certificates"
}

delete_ours() { # in_namespace|kube kind/name…
	local kubectl_for=$1 object ours=()
	shift
	for object in "$@"; do
		[ "$(owner_of "$object")" != ours ] || ours+=("$object")
	done
	[ ${#ours[@]} -gt 0 ] || return 0
	must "deleting ${ours[*]}, for which there is no use any more" "$kubectl --namespace $NAMESPACE delete ${ours[*]}" \
		"$kubectl_for" delete "${ours[@]}" --ignore-not-found --wait=false >/dev/null
	applied+=("$(join ', ' "${ours[@]}") deleted")
	say "deleted $(join ', ' "${ours[@]}")"
}

# Without waiting nobody knows whether there are others that serve, or that make certificates.
leave_former() {
	judge_spare_rights
	[ ${#spare[@]} -eq 0 ] || say "left $(join ', ' "${spare[@]}"), by which the servers may still write Secrets and the caBundle: $(next_script deploy-webhook), without --no-wait, deletes them once no server needs them"
	judge_other_kind
	[ ${#others[@]} -eq 0 ] || say "left $(join ', ' "${others[@]}"): $(next_script deploy-webhook), without --no-wait, deletes it once the $KIND serves"
}

# --- the configuration ---------------------------------------------------------------------------------

# What the API server must trust: what the Secret says, be it the script's or cert-manager's; nothing where
# the servers write it themselves.
ca_bundle() {
	local bundle
	case $CERTIFICATES in
	script)
		openssl base64 -A -in "$work/bundle"
		return
		;;
	self-managed) return ;;
	esac
	bundle=$(must "reading the CA in Secret $certs_secret" "$kubectl --namespace $NAMESPACE get secret $certs_secret" \
		in_namespace get secret "$certs_secret" -o 'go-template={{with index .data "ca.crt"}}{{.}}{{end}}')
	[ -n "$bundle" ] ||
		die "$failed" "Secret $certs_secret of namespace $NAMESPACE has no ca.crt, so nobody would trust the server: let its Issuer name its CA, then run $me again"
	printf '%s' "$bundle"
}

# What of the caBundle is ours alone goes once we do not name it: before that, what is there becomes the
# servers', who write it from then on.
hand_over_bundle() { # failure-policy
	local reason
	look_at_bundle || return 0
	# What was applied without --server-side kubectl gives to who applies next: to us, not to the servers.
	if [ -z "$(facts policy)" ] || [ -n "$(facts client-side)" ]; then
		apply_configuration "$1" "$live_bundle"
		look_at_bundle || return 0
	fi
	# Of the version that was looked at: what the servers have written since is newer.
	! printf '%s\n' "apiVersion: admissionregistration.k8s.io/v1" "kind: MutatingWebhookConfiguration" \
		"metadata: {name: $configuration, resourceVersion: \"${marks[mutatingwebhookconfiguration/$configuration]}\"}" \
		"webhooks: [{name: $webhook_name, clientConfig: {caBundle: $live_bundle}}]" |
		kube apply --server-side --field-manager "$app-certificates" -f - >/dev/null 2>"$work/stderr" || return 0
	reason=$(why)
	! look_at_bundle || die "$failed" "leaving caBundle of $configuration to the servers: $reason; run $me again"
}

# Sets `live_bundle`; fails when there is none, or when the servers have published it (`kFieldManager` in
# src/cert_rotation/writer.cpp).
look_at_bundle() {
	: >"$work/look"
	look "mutatingwebhookconfiguration/$configuration"
	live_bundle=$(facts calls)
	live_bundle=${live_bundle##* }
	[ "${live_bundle:-none}" != none ] && [ -z "$(facts published)" ]
}

configure() { # failure-policy
	local bundle
	[ "$CERTIFICATES" != self-managed ] || hand_over_bundle "$1"
	bundle=$(ca_bundle)
	apply_configuration "$1" "$bundle"
}

apply_configuration() { # failure-policy ca-bundle
	webhook_manifest "$@" >"$work/webhook.yaml"
	apply_and_tell "the MutatingWebhookConfiguration $configuration" "$kubectl get mutatingwebhookconfiguration $configuration" \
		<"$work/webhook.yaml"
}

# Fail only once the webhook has answered: until then no Pod may depend on it.
configure_proven() {
	if [ "$FAILURE_POLICY" = Fail ] && [ "${live[FAILURE_POLICY]:-}" != Fail ]; then
		configure Ignore
		self_test
		configure Fail
	else
		configure "$FAILURE_POLICY"
		self_test
	fi
}

# A Pod that the webhook is asked about, and which only a dry run creates. It asks for little and may do
# nothing, so that quotas and Pod Security let it pass.
self_test_pod() { # nonce
	cat <<-EOT
		apiVersion: v1
		kind: Pod
		metadata:
		  name: $app-self-test-$1
		  namespace: "$SELF_TEST_NAMESPACE"
		  annotations:
		    migration.dcnlab.com/self-test: "$1"
		  ownerReferences:
		    - {apiVersion: batch/v1, kind: Job, name: $app-self-test, uid: $1, controller: true}
		spec:
		  restartPolicy: Never
		  automountServiceAccountToken: false
		  securityContext:
		    runAsNonRoot: true
		    runAsUser: 65532
		    seccompProfile: {type: RuntimeDefault}
		  containers:
		    - name: self-test
		      image: $app
		      resources:
		        requests: {cpu: 1m, memory: 1Mi}
		        limits: {cpu: 1m, memory: 1Mi}
		      securityContext:
		        allowPrivilegeEscalation: false
		        capabilities: {drop: [ALL]}
	EOT
}

ask_for_self_test() { # nonce; what is answered is in $work/stderr
	self_test_pod "$1" >"$work/pod.yaml"
	kube create --dry-run=server -f "$work/pod.yaml" >/dev/null 2>"$work/stderr"
}

# What an installation says that nobody can reach is no reason not to mend it.
is_refused_by_webhook() {
	[[ $(why) =~ failed\ calling\ webhook\ .*"$webhook_name" ]]
}

# Before anything is changed: whether such a Pod would be taken at all.
check_self_test() {
	local next="name another one by SELF_TEST_NAMESPACE and run $me again; nothing was changed"
	! is_absent "namespace/$SELF_TEST_NAMESPACE" ||
		die "$failed" "namespace $SELF_TEST_NAMESPACE, where the self-test would create its Pod, does not exist: $next"
	ask_for_self_test before || is_refused_by_webhook ||
		die "$failed" "the Pod of the self-test is refused in namespace $SELF_TEST_NAMESPACE: $(why); $next"
}

# The API server learns of a configuration by a watch, so a moment after it is stored.
self_test() {
	local nonce=smw-$RANDOM$RANDOM$RANDOM until=$((SECONDS + ${SELF_TEST_TIMEOUT%s})) answer created
	while :; do
		created=true
		ask_for_self_test "$nonce" || created=false
		answer=$(cat "$work/stderr")
		[[ ! $answer =~ $app\ [^\ ]+\ answered\ $nonce ]] || break
		[ "$SECONDS" -lt "$until" ] || give_up_self_test "$created"
		sleep 0.5
	done
	say "self-test: ${BASH_REMATCH[0]}"
}

give_up_self_test() { # pod-was-created
	local logs="$kubectl --namespace $NAMESPACE logs -l app=$app --prefix"
	# Under Fail it is the API server that says why; under Ignore nobody does.
	! is_refused_by_webhook ||
		die "$failed" "the webhook did not answer the self-test in namespace $SELF_TEST_NAMESPACE, and Pods of Jobs are refused: $(why); $logs"
	! $1 || die "$failed" "the webhook did not answer the self-test in namespace $SELF_TEST_NAMESPACE, Pods of Jobs are not restored: does the API server reach port 9443 of the Pods, and trust their certificate ($logs)? Does the namespaceSelector of the configuration leave that namespace out ($kubectl get mutatingwebhookconfiguration $configuration -o yaml)? Then name another one by SELF_TEST_NAMESPACE"
	die "$failed" "the Pod of the self-test was refused in namespace $SELF_TEST_NAMESPACE: $(why); name another one by SELF_TEST_NAMESPACE and run $me again"
}
