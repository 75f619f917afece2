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

  --dry-run      print plan and manifests (YAML, the plan as comments), change nothing
  --no-wait      do not wait for the rollout, do not ask the webhook, leave the other KIND
  --context NAME the context of the kubeconfig, instead of the current one

environment; where there is an installation, what it has is the default of those marked *
  NAMESPACE            (stateful-migration)
  SERVICE_NAME         (stateful-migration-webhook-service)
* IMAGE, IMAGE_TAG     (stateful-migration-webhook, latest); a tag may be a digest, sha256:…
* KIND                 daemonset or deployment (daemonset); the other one is taken away
* FAILURE_POLICY       Ignore or Fail (Ignore): whether Pods are created while no server answers
* CERTIFICATES         script or cert-manager (script)
  ROLLOUT_TIMEOUT      (180s)
  SELF_TEST_NAMESPACE  where the Pod of the dry run would be created (default)
  SELF_TEST_TIMEOUT    for the webhook to answer (30s)

exit status: 0 done, 1 failed, 2 usage, 3 kubectl or openssl is missing or no cluster answers
EOT
}

# shellcheck source=scripts/webhook-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/webhook-lib.sh"
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
	FAILURE_POLICY=${FAILURE_POLICY:-} CERTIFICATES=${CERTIFICATES:-}
	ROLLOUT_TIMEOUT=${ROLLOUT_TIMEOUT:-180s}
	SELF_TEST_NAMESPACE=${SELF_TEST_NAMESPACE:-default}
	SELF_TEST_TIMEOUT=${SELF_TEST_TIMEOUT:-30s}
	[[ -z $IMAGE || $IMAGE =~ ^[a-z0-9]([-a-zA-Z0-9._/:]*[a-z0-9])?$ && ${IMAGE##*/} != *:* ]] ||
		wrong IMAGE "an image without tag or digest, like registry.example.com/$app"
	[[ $IMAGE_TAG =~ ^(|[a-zA-Z0-9_][-a-zA-Z0-9._]{0,127}|sha256:[0-9a-f]{64})$ ]] ||
		wrong IMAGE_TAG "a tag, or a digest sha256:…"
	is_one_of "$KIND" '' daemonset deployment || wrong KIND "daemonset or deployment"
	is_one_of "$FAILURE_POLICY" '' Ignore Fail || wrong FAILURE_POLICY "Ignore or Fail"
	is_one_of "$CERTIFICATES" '' script cert-manager || wrong CERTIFICATES "script or cert-manager"
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

check_rights() {
	need_rights \
		"get,create namespaces cluster" \
		"get,create customresourcedefinitions.apiextensions.k8s.io cluster" \
		"get,create,patch clusterroles.rbac.authorization.k8s.io cluster" \
		"get,create,patch clusterrolebindings.rbac.authorization.k8s.io cluster" \
		"get,create,patch mutatingwebhookconfigurations.admissionregistration.k8s.io cluster" \
		"get,create,patch serviceaccounts" \
		"get,create,patch secrets" \
		"get,create,patch services" \
		"get daemonsets.apps" "get deployments.apps" "get poddisruptionbudgets.policy"
}

# What more it takes depends on the settings, which what is installed has a say in.
check_further_rights() {
	local further=()
	case $KIND in
	daemonset) further=("list,watch,create,patch daemonsets.apps" "delete deployments.apps" "delete poddisruptionbudgets.policy") ;;
	deployment) further=("list,watch,create,patch deployments.apps" "delete daemonsets.apps" "create,patch poddisruptionbudgets.policy") ;;
	esac
	! $wait_for_it || further+=("create pods $SELF_TEST_NAMESPACE")
	[ "$CERTIFICATES" = script ] || further+=(
		"get,list,watch,create,patch certificates.cert-manager.io" "get,create,patch issuers.cert-manager.io")
	need_rights "${further[@]}"
}

# What `apply` would make ours, and undeploy-webhook.sh then delete.
refuse_theirs() {
	local object
	objects=("mutatingwebhookconfiguration/$configuration" "clusterrole/$app" "clusterrolebinding/$app"
		"serviceaccount/$app" "service/$SERVICE_NAME" "$KIND/$app")
	[ "$KIND" = daemonset ] || objects+=("poddisruptionbudget/$app")
	[ "$CERTIFICATES" = script ] || objects+=("certificate.cert-manager.io/$app" "certificate.cert-manager.io/$app-ca"
		"issuer.cert-manager.io/$app" "issuer.cert-manager.io/$app-selfsigned")
	look_at "${objects[@]}"
	for object in "${objects[@]}"; do
		[ "$(owner_of "$object")" != theirs ] ||
			die "$failed" "$object is there without label app=$app, so it is somebody else's, and is not replaced: use another NAMESPACE or SERVICE_NAME, or delete it ($kubectl --namespace $NAMESPACE delete $object), or make it ours ($kubectl --namespace $NAMESPACE label $object app=$app --overwrite), then run $me again"
	done
}

check_certificates() {
	if [ "$CERTIFICATES" = cert-manager ]; then
		check_cert_manager
		return
	fi
	need openssl "package openssl"
	# Its errors are ours: an expired CA must be known before anything is changed.
	certificate_plan=$(certificates --dry-run) || exit $?
}

check_cert_manager() {
	local maker
	[ -n "$(kube get crd certificates.cert-manager.io --ignore-not-found -o name)" ] ||
		die "$failed" "the cluster has no cert-manager: install it (https://cert-manager.io/docs/installation), or use CERTIFICATES=script"
	maker=$(must "looking at Secret $certs_secret" "$kubectl --namespace $NAMESPACE get secret $certs_secret" \
		in_namespace get secret "$certs_secret" --ignore-not-found -o \
		'go-template={{with .metadata.annotations}}{{with index . "cert-manager.io/certificate-name"}}cert-manager{{end}}{{end}} there')
	# It would replace the certificate at once, and for a while servers would show one that nobody trusts.
	[ "$maker" != " there" ] ||
		die "$failed" "Secret $certs_secret of namespace $NAMESPACE is not from cert-manager; to change over: $(next_script undeploy-webhook), then $me again"
}

# Asks the API server about all objects that it can judge now: those of a namespace that is not there
# yet it cannot.
check_manifests() {
	local not_yet='^kind: Namespace$'
	[ "$namespace_state" = active ] || not_yet='^kind: Namespace$|^  namespace: '
	# Who is no administrator may bind a role only once it can be looked into.
	[ "$(owner_of "clusterrole/$app")" != absent ] || not_yet+='|^kind: ClusterRoleBinding$'
	all_manifests | without_documents "$not_yet" >"$work/all.yaml"
	must "checking the manifests with the API server" "nothing was changed; what is immutable has to be deleted first ($kubectl delete)" \
		apply --dry-run=server <"$work/all.yaml" >/dev/null
	[ "$crd_state" = there ] || must "checking deploy/crd.yaml with the API server" "nothing was changed" \
		kube create --dry-run=server -f "$root/deploy/crd.yaml" >/dev/null
}

check_all() {
	connect
	check_rights
	look_at_installation
	settle
	say "$(comment)context $(context_name), Kubernetes 1.$server_minor, namespace $NAMESPACE$taken_over"
	check_further_rights
	look_at_namespace
	refuse_terminating_namespace
	refuse_other_installation
	look_at_crd
	check_certificates
	refuse_theirs
	check_manifests
}

# --- the plan ------------------------------------------------------------------------------------------

comment() {
	! $dry_run || printf '# '
}

plan_offline() {
	server_minor=30 namespace_state=absent crd_state=absent certificate_plan=''
	settle
	say "# no cluster was asked: $1"
}

tell_plan() {
	local line
	[ "$namespace_state" = active ] || say "# would create namespace $NAMESPACE"
	[ "$crd_state" = there ] || say "# would create the CustomResourceDefinition $crd (deploy/crd.yaml)"
	[ "$crd_state" = absent ] || say "# would leave the CustomResourceDefinition $crd as it is"
	while IFS= read -r line; do
		[[ $line != would* ]] || say "# $line"
	done <<<"${certificate_plan:-}"
	say "# would apply these, the MutatingWebhookConfiguration last and with a caBundle, after the rollout"
	all_manifests | if [ "$namespace_state" = active ]; then without_documents '^kind: Namespace$'; else cat; fi
	[ "$crd_state" = there ] || { printf -- '---\n' && cat "$root/deploy/crd.yaml"; }
}

# Without kubectl or a cluster the manifests can still be shown, unless a certain one was asked for.
dry_run() {
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
	apply_file rbac.yaml '^kind: Namespace$'
	make_certificate
	apply_file service.yaml
	apply_file "$KIND.yaml"
	if $wait_for_it; then
		wait_for_rollout
		delete_other_kind
		configure_proven
		say "done: the webhook answers, failurePolicy is $FAILURE_POLICY"
	else
		leave_other_kind
		configure "$FAILURE_POLICY"
		say "done, without waiting: $kubectl --namespace $NAMESPACE rollout status $KIND/$app says when it serves"
	fi
}

# In one line, so that nothing is read any more of a file that was changed meanwhile.
{ main "$@"; exit; }
