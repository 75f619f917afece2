#!/usr/bin/env bash
# Installs the webhook in a cluster, or brings an installation up to date: the objects of deploy/, a
# certificate, and proof that it answers.
set -euo pipefail
shopt -s inherit_errexit

usage() {
	cat <<'EOT'
usage: scripts/deploy-webhook.sh [--dry-run] [--no-wait] [--context NAME]

Checks first (cluster, rights, namespace, certificates, what the API server says of each object), then
makes what is missing and changes what differs: namespace, CustomResourceDefinition (only where there is
none), account and rights, certificate, Service, DaemonSet or Deployment; waits for the rollout; then
the MutatingWebhookConfiguration, so that nobody calls a server that is not there; and asks it about a
Pod of a dry run. Run again it changes nothing, or goes on where it ended.

  --dry-run      print plan, differences to what is installed (both as comments) and manifests (YAML);
                 change nothing
  --no-wait      do not wait for the rollout, do not ask the webhook, leave the other KIND and rights
                 of self-managed certificates
  --context NAME the context of the kubeconfig, instead of the current one

environment; where there is an installation, what it has is the default of those marked *
  NAMESPACE            (stateful-migration)
  SERVICE_NAME         (stateful-migration-webhook-service)
* IMAGE, IMAGE_TAG     (stateful-migration-webhook, latest); a tag may be a digest, sha256:…
* KIND                 daemonset or deployment (daemonset); the other one is taken away
* FAILURE_POLICY       Ignore or Fail (Ignore): whether Pods are created while no server answers
* CERTIFICATES         script, cert-manager or self-managed (script): who makes and renews them
* NETWORK_POLICY       yes or no (no): whether deploy/networkpolicy.yaml is applied, too
  ROLLOUT_TIMEOUT      (180s)
  SELF_TEST_NAMESPACE  where the Pod of the dry run would be created (default)
  SELF_TEST_TIMEOUT    for the webhook to answer (30s)

exit status: 0 done, 1 failed, 2 usage, 3 kubectl or openssl is missing or no cluster answers
EOT
}

# shellcheck source=scripts/webhook-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/webhook-lib.sh"
# shellcheck source=scripts/webhook-certs-plan.sh
. "$root/scripts/webhook-certs-plan.sh"
# shellcheck source=scripts/webhook-install.sh
. "$root/scripts/webhook-install.sh"

wait_for_it=true

parse() {
	local taken
	while [ $# -gt 0 ]; do
		case $1 in
		--no-wait)
			wait_for_it=false
			taken=1
			;;
		*) take_common_flag "$@" || die "$usage_error" "unknown argument $1: see $me --help" ;;
		esac
		shift "$taken"
	done
}

load_settings() {
	load_place
	# What was not given is settled by settle, when the cluster was asked.
	IMAGE=${IMAGE:-} IMAGE_TAG=${IMAGE_TAG:-} KIND=${KIND:-}
	FAILURE_POLICY=${FAILURE_POLICY:-} CERTIFICATES=${CERTIFICATES:-} NETWORK_POLICY=${NETWORK_POLICY:-}
	ROLLOUT_TIMEOUT=${ROLLOUT_TIMEOUT:-180s}
	SELF_TEST_NAMESPACE=${SELF_TEST_NAMESPACE:-default}
	SELF_TEST_TIMEOUT=${SELF_TEST_TIMEOUT:-30s}
	[[ -z $IMAGE || $IMAGE =~ ^[a-z0-9]([-a-zA-Z0-9._/:]*[a-z0-9])?$ && ${IMAGE##*/} != *:* ]] ||
		wrong IMAGE "an image without tag or digest, like registry.example.com/$app"
	[[ $IMAGE_TAG =~ ^(|[a-zA-Z0-9_][-a-zA-Z0-9._]{0,127}|sha256:[0-9a-f]{64})$ ]] ||
		wrong IMAGE_TAG "a tag, or a digest sha256:…"
	is_one_of "$KIND" '' daemonset deployment || wrong KIND "daemonset or deployment"
	is_one_of "$FAILURE_POLICY" '' Ignore Fail || wrong FAILURE_POLICY "Ignore or Fail"
	is_one_of "$CERTIFICATES" '' script cert-manager self-managed ||
		wrong CERTIFICATES "script, cert-manager or self-managed"
	is_one_of "$NETWORK_POLICY" '' yes no || wrong NETWORK_POLICY "yes or no"
	[[ $ROLLOUT_TIMEOUT =~ ^[0-9]+(s|m)$ ]] || wrong ROLLOUT_TIMEOUT "a duration, like 180s or 5m"
	[[ $SELF_TEST_TIMEOUT =~ ^[0-9]+s$ ]] || wrong SELF_TEST_TIMEOUT "in seconds, like 30s"
	! $wait_for_it || ! is_one_of "$SELF_TEST_NAMESPACE" "$NAMESPACE" kube-system kube-public kube-node-lease ||
		wrong SELF_TEST_NAMESPACE "a namespace whose Pods the webhook is asked about"
	if [ "$FAILURE_POLICY" = Fail ] && ! $wait_for_it; then
		wrong FAILURE_POLICY "Ignore with --no-wait: nobody has seen it answer"
	fi
	check_settings
}

# --- checks --------------------------------------------------------------------------------------------

readonly rights=(
	"get,create namespaces cluster"
	"get,create customresourcedefinitions.apiextensions.k8s.io cluster"
	"get,create,patch clusterroles.rbac.authorization.k8s.io cluster"
	"get,create,patch clusterrolebindings.rbac.authorization.k8s.io cluster"
	"get,create,patch mutatingwebhookconfigurations.admissionregistration.k8s.io cluster"
	"get,create,patch serviceaccounts" "get,create,patch secrets" "get,create,patch services"
	"get daemonsets.apps" "get deployments.apps" "get poddisruptionbudgets.policy"
)
# What more it takes depends on the settings, which what is installed has a say in.
readonly rights_for_daemonset=("list,watch,create,patch daemonsets.apps" "delete deployments.apps" "delete poddisruptionbudgets.policy")
readonly rights_for_deployment=("list,watch,create,patch deployments.apps" "delete daemonsets.apps" "create,patch poddisruptionbudgets.policy")
readonly rights_for_cert_manager=("get,list,watch,create,patch certificates.cert-manager.io" "get,create,patch issuers.cert-manager.io")
readonly rights_for_self_managed=("get,create,patch roles.rbac.authorization.k8s.io" "get,create,patch rolebindings.rbac.authorization.k8s.io")
readonly rights_to_delete_rights=("delete clusterroles.rbac.authorization.k8s.io cluster" "delete clusterrolebindings.rbac.authorization.k8s.io cluster"
	"delete roles.rbac.authorization.k8s.io" "delete rolebindings.rbac.authorization.k8s.io")
readonly rights_for_network_policy=("get,create,patch networkpolicies.networking.k8s.io")

ask_all_rights() {
	local more=()
	[ "$KIND" = deployment ] || more+=("${rights_for_daemonset[@]}")
	[ "$KIND" = daemonset ] || more+=("${rights_for_deployment[@]}")
	[ "$CERTIFICATES" = script ] || more+=("${rights_for_cert_manager[@]}")
	more+=("${rights_for_self_managed[@]}" "${rights_to_delete_rights[@]}" "${rights_for_network_policy[@]}")
	! $wait_for_it || more+=("create pods $SELF_TEST_NAMESPACE")
	ask_rights "${rights[@]}" "${more[@]}"
	need_rights "${rights[@]}"
}

check_further_rights() {
	local -n of_kind=rights_for_$KIND
	local object further=("${of_kind[@]}")
	[ "$CERTIFICATES" != cert-manager ] || further+=("${rights_for_cert_manager[@]}")
	[ "$CERTIFICATES" != self-managed ] || further+=("${rights_for_self_managed[@]}")
	[ "$NETWORK_POLICY" = no ] || further+=("${rights_for_network_policy[@]}")
	if $wait_for_it; then
		further+=("create pods $SELF_TEST_NAMESPACE")
		judge_spare_rights
		for object in ${spare[@]+"${spare[@]}"}; do
			further+=("delete $(resource_of "$object")")
		done
	fi
	need_rights "${further[@]}"
}

# What `apply` would make ours, and undeploy-webhook.sh then delete.
refuse_theirs() {
	local object issued objects
	objects=("mutatingwebhookconfiguration/$configuration" "clusterrole/$app" "clusterrolebinding/$app"
		"serviceaccount/$app" "service/$SERVICE_NAME" "$KIND/$app")
	[ "$KIND" = daemonset ] || objects+=("poddisruptionbudget/$app")
	[ "$NETWORK_POLICY" = no ] || objects+=("networkpolicy/$app")
	[ "$CERTIFICATES" != self-managed ] || objects+=("${rights_objects[@]}")
	if [ "$CERTIFICATES" = cert-manager ]; then
		issued=("certificate.cert-manager.io/$app" "certificate.cert-manager.io/$app-ca"
			"issuer.cert-manager.io/$app" "issuer.cert-manager.io/$app-selfsigned")
		look "${issued[@]}"
		objects+=("${issued[@]}")
	fi
	for object in "${objects[@]}"; do
		[ "$(owner_of "$object")" != theirs ] ||
			die "$failed" "$object is there without label app=$app, so it is somebody else's, and is not replaced: use another NAMESPACE or SERVICE_NAME, or delete it ($kubectl --namespace $NAMESPACE delete $object), or make it ours ($kubectl --namespace $NAMESPACE label $object app=$app --overwrite), then run $me again"
	done
}

check_certificates() {
	case $CERTIFICATES in
	cert-manager) check_cert_manager ;;
	self-managed) check_self_managed ;;
	script)
		need openssl "package openssl"
		plan_certificates
		;;
	esac
}

check_cert_manager() {
	! is_absent customresourcedefinition/certificates.cert-manager.io ||
		die "$failed" "the cluster has no cert-manager: install it (https://cert-manager.io/docs/installation), or use CERTIFICATES=script"
	# It would replace the certificate at once, and for a while servers would show one that nobody trusts.
	is_absent "secret/$certs_secret" || [[ $'\n'$(facts issued) = *$'\n'"Secret/$certs_secret "* ]] ||
		die "$failed" "Secret $certs_secret of namespace $NAMESPACE is not from cert-manager; to change over: $(next_script undeploy-webhook), then $me again"
}

# The two would write over each other.
check_self_managed() {
	[[ $'\n'$(facts issued) != *$'\n'"Secret/$certs_secret "* ]] ||
		die "$failed" "Secret $certs_secret of namespace $NAMESPACE is from cert-manager, which would not leave it alone; to change over: $(next_script undeploy-webhook), then $me again"
}

# Asks the API server about all objects that it can judge now: those of a namespace that is not there
# yet it cannot.
check_manifests() {
	local not_yet='^kind: Namespace$' role roles=("clusterrole/$app")
	[ "$namespace_state" = active ] || not_yet='^kind: Namespace$|^  namespace: '
	# Who is no administrator may bind a role only once it can be looked into.
	[ "$CERTIFICATES" != self-managed ] || roles+=("role/$app-certificates" "clusterrole/$app-certificates")
	for role in "${roles[@]}"; do
		! is_absent "$role" || not_yet+='|^kind: (Cluster)?RoleBinding$'
	done
	# What becomes of caBundle is told with the certificates.
	all_manifests "$live_bundle" | without_documents "$not_yet" >"$work/all.yaml"
	must "checking the manifests with the API server" "nothing was changed; what is immutable has to be deleted first ($kubectl delete)" \
		apply --dry-run=server <"$work/all.yaml" >/dev/null
	! is_absent "customresourcedefinition/$crd" || must "checking deploy/crd.yaml with the API server" "nothing was changed" \
		kube create --dry-run=server -f "$root/deploy/crd.yaml" >/dev/null
}

check_all() {
	connect
	ask_all_rights
	look_at_installation
	settle
	say "context $(context_name), Kubernetes 1.$server_minor, namespace $NAMESPACE$taken_over"
	check_further_rights
	refuse_terminating_namespace
	refuse_other_installation
	! $wait_for_it || check_self_test
	check_certificates
	refuse_theirs
	check_manifests
}

# --- the plan ------------------------------------------------------------------------------------------

# tell_difference OBJECT LINE…: of `diff -u`; but for what the API server counts.
tell_difference() {
	local object=$1 line lines=() hunk=() differs=false
	shift
	for line in "$@" '@@'; do
		case $line in
		'@@ -0,0 '*)
			say "would create $object"
			return
			;;
		'@@'*)
			! $differs || lines+=("${hunk[@]}")
			hunk=() differs=false
			;;
		'--- '* | '+++ '* | [-+]*' generation: '* | [-+]*'template.generation: '*) ;;
		*)
			[[ $line != [-+]* ]] || differs=true
			hunk+=("$line")
			;;
		esac
	done
	[ ${#lines[@]} -gt 0 ] || return 0
	say "would change $object:"
	for line in "${lines[@]}"; do
		say "  $line"
	done
}

# From the objects that check_manifests has asked about to what they would be.
tell_differences() {
	local line object='' name lines=() status=0
	if ! command -v diff >/dev/null; then
		say "differences to what is installed are not shown: diff is not in PATH (package diffutils)"
		return
	fi
	KUBECTL_EXTERNAL_DIFF='' kube diff --server-side --force-conflicts --field-manager "$app" -f "$work/all.yaml" \
		>"$work/differences" 2>"$work/stderr" || status=$?
	[ "$status" -le 1 ] || die "$failed" "comparing with what is installed: $(why); $kubectl diff --help"
	while IFS= read -r line; do
		if [[ $line != 'diff '* ]]; then
			lines+=("$line")
			continue
		fi
		[ -z "$object" ] || tell_difference "$object" "${lines[@]}"
		# …/GROUP.VERSION.KIND.NAMESPACE.NAME; none of ours has a dot.
		name=${line##*.} object=${line%.*.*}
		object=${object##*.} lines=()
		object=${object,,}/$name
	done <"$work/differences"
	[ -z "$object" ] || tell_difference "$object" "${lines[@]}"
	[ -n "$object" ] || say "nothing differs from what is installed"
}

plan_offline() {
	server_minor=30 namespace_state=absent offline=true
	settle
	say "no cluster was asked: $1"
}

tell_plan() {
	[ "$namespace_state" = active ] || say "would create namespace $NAMESPACE"
	if is_absent "customresourcedefinition/$crd"; then
		say "would create the CustomResourceDefinition $crd (deploy/crd.yaml)"
	else
		say "would leave the CustomResourceDefinition $crd as it is"
	fi
	if ! ${offline:-false}; then
		[ "$CERTIFICATES" != script ] || tell_certificates
		tell_differences
		judge_other_kind
		[ ${#others[@]} -eq 0 ] || say "would delete $(join ', ' "${others[@]}") once the $KIND serves"
		judge_spare_rights
		[ ${#spare[@]} -eq 0 ] || say "would delete $(join ', ' "${spare[@]}") once the $KIND serves"
	fi
	local bundle="with a caBundle"
	[ "$CERTIFICATES" != self-managed ] || bundle="whose caBundle the servers write"
	say "would apply these, the MutatingWebhookConfiguration last and $bundle, after the rollout"
	all_manifests | if [ "$namespace_state" = active ]; then without_documents '^kind: Namespace$'; else cat; fi
	! is_absent "customresourcedefinition/$crd" || { printf -- '---\n' && cat "$root/deploy/crd.yaml"; }
}

# Without kubectl or a cluster the manifests can still be shown, unless a certain one was asked for.
dry_run() {
	mark='# '
	if [ ${#context_flags[@]} -gt 0 ] || (connect) 2>"$work/offline"; then
		check_all
	else
		plan_offline "$(cat "$work/offline")"
	fi
	tell_plan
}

# --- main ----------------------------------------------------------------------------------------------

main() {
	parse "$@"
	load_settings
	if $dry_run; then
		dry_run
		return
	fi
	check_all
	create_namespace
	create_crd
	apply_servers
	if $wait_for_it; then
		wait_for_rollout
		delete_other_kind
		delete_spare_rights
		configure_proven
		say "done: the webhook answers, failurePolicy is $FAILURE_POLICY"
	else
		leave_former
		configure "$FAILURE_POLICY"
		say "done, without waiting: $kubectl --namespace $NAMESPACE rollout status $KIND/$app says when it serves"
	fi
}

# In one line, so that nothing is read any more of a file that was changed meanwhile.
{ main "$@"; exit; }
