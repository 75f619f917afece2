#!/usr/bin/env bash
# Takes away what deploy-webhook.sh installed, and nothing else.
set -euo pipefail
shopt -s inherit_errexit

usage() {
	cat <<'EOT'
usage: scripts/undeploy-webhook.sh [--dry-run] [--context NAME]

Deletes the MutatingWebhookConfiguration first, so that nobody calls servers that are gone, then the
DaemonSet or Deployment, Service, NetworkPolicy, certificates, account and rights; only objects with the
label app=stateful-migration-webhook. Never the CustomResourceDefinition nor a CheckpointBackup; the
namespace only when deploy-webhook.sh made it and nothing of anybody else is in it. When it ended
half-way, run it again.

  --dry-run      say what would be deleted, change nothing
  --context NAME the context of the kubeconfig, instead of the current one

environment
  NAMESPACE      (stateful-migration)
  SERVICE_NAME   (stateful-migration-webhook-service)
  TIMEOUT        for Pods and namespace to end (180s)

exit status: 0 done or nothing to do, 1 failed, 2 usage, 3 kubectl is missing or no cluster answers
EOT
}

# shellcheck source=scripts/webhook-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/webhook-lib.sh"

# What is left although it has one of our names.
left_alone=()
nothing=true

load_settings() {
	load_place
	TIMEOUT=${TIMEOUT:-180s}
	[[ $TIMEOUT =~ ^[0-9]+s$ ]] || wrong TIMEOUT "in seconds, like 180s"
	check_settings
}

# To wait for its end, kubectl lists and watches what it deletes.
readonly all=get,list,watch,delete
readonly rights=(
	"$all mutatingwebhookconfigurations.admissionregistration.k8s.io cluster"
	"$all clusterroles.rbac.authorization.k8s.io cluster"
	"$all clusterrolebindings.rbac.authorization.k8s.io cluster"
	"get namespaces cluster" "get customresourcedefinitions.apiextensions.k8s.io cluster"
	"$all daemonsets.apps" "$all deployments.apps" "$all poddisruptionbudgets.policy" "$all services"
	"$all networkpolicies.networking.k8s.io" "$all secrets" "$all serviceaccounts"
)
# What more it takes depends on what is there.
readonly rights_to_namespace=("list,watch,delete namespaces cluster" "list *.*")
readonly rights_with_cert_manager=("$all certificates.cert-manager.io" "$all issuers.cert-manager.io")
readonly -A self_managed=(["lease/$app-certificates"]=leases.coordination.k8s.io
	["rolebinding/$app-certificates"]=rolebindings.rbac.authorization.k8s.io
	["role/$app-certificates"]=roles.rbac.authorization.k8s.io)

# What may be ours, in the order in which it goes: nobody calls any more; Pods, which serve for as long as
# their shutdown takes; what those who called have learnt not to call; what makes Secrets, before them.
readonly callers=("mutatingwebhookconfiguration/$configuration") workloads=("daemonset/$app" "deployment/$app")
load_objects() {
	in_place=("poddisruptionbudget/$app" "service/$SERVICE_NAME" "networkpolicy/$app"
		"secret/$certs_secret" "secret/$ca_secret" "secret/$app-cert-manager-ca" "serviceaccount/$app")
}
readonly issued=("certificate.cert-manager.io/$app" "certificate.cert-manager.io/$app-ca"
	"issuer.cert-manager.io/$app" "issuer.cert-manager.io/$app-selfsigned")
readonly in_cluster=("clusterrolebinding/$app" "clusterrole/$app" "clusterrolebinding/$app-certificates"
	"clusterrole/$app-certificates")

look_at_all() {
	load_objects
	look "namespace/$NAMESPACE" crd/certificates.cert-manager.io "${callers[@]}" "${workloads[@]}" "${in_place[@]}" "${in_cluster[@]}"
	judge_namespace
	# shellcheck disable=SC2154  # set by judge_namespace
	! $namespace_is_ours || need_rights "${rights_to_namespace[@]}"
	has_cert_manager=false
	if ! is_absent customresourcedefinition/certificates.cert-manager.io; then
		has_cert_manager=true
		need_rights "${rights_with_cert_manager[@]}"
		look "${issued[@]}"
	fi
	look_at_self_managed
}

# Who may not see such an object has not made it either, unless the ClusterRole beside it is there.
look_at_self_managed() {
	local object seen=() needed=()
	for object in "${!self_managed[@]}"; do
		! may get "${self_managed[$object]}" || seen+=("$object")
	done
	[ ${#seen[@]} -eq 0 ] || look "${seen[@]}"
	for object in "${!self_managed[@]}"; do
		[ "$(owner_of "$object")" != ours ] && [ "$(owner_of "clusterrole/$app-certificates")" != ours ] ||
			needed+=("$all ${self_managed[$object]}")
	done
	[ ${#needed[@]} -eq 0 ] || need_rights "${needed[@]}"
}

# Left behind it would call a Service that is gone; under Fail no Pod would be created any more.
refuse_their_configuration() {
	if [ "$(owner_of "mutatingwebhookconfiguration/$configuration")" = theirs ] && [ -n "$(facts calls)" ]; then
		die "$failed" "MutatingWebhookConfiguration $configuration has no label app=$app, so it is not deleted, and calls Service $NAMESPACE/$SERVICE_NAME, which would be: $kubectl delete mutatingwebhookconfiguration $configuration, then $me again"
	fi
}

# take_away FLAG… -- KIND/NAME…: by one kubectl, whose flags come first.
take_away() {
	local flags=() object mine=()
	while [ "$1" != -- ]; do
		flags+=("$1")
		shift
	done
	shift
	for object in "$@"; do
		case $(owner_of "$object") in
		absent) ;;
		theirs) left_alone+=("${object/\// }, which has no label app=$app") ;;
		ours) mine+=("$object") ;;
		esac
	done
	[ ${#mine[@]} -gt 0 ] || return 0
	nothing=false
	if $dry_run; then
		say "$(printf 'would delete %s\n' "${mine[@]}")"
		return
	fi
	must "deleting $(join ', ' "${mine[@]}")" "$kubectl --namespace $NAMESPACE get $(join ' ' "${mine[@]}") -o yaml says what holds them" \
		kube "${flags[@]}" delete "${mine[@]}" --ignore-not-found --timeout "$TIMEOUT" >/dev/null
	applied+=("${mine[@]}")
	say "$(printf 'deleted %s\n' "${mine[@]}")"
}

take_all_away() {
	take_away -- "${callers[@]}"
	take_away --namespace "$NAMESPACE" --cascade=foreground -- "${workloads[@]}"
	! $has_cert_manager || take_away --namespace "$NAMESPACE" -- "${issued[@]}"
	take_away --namespace "$NAMESPACE" -- "${in_place[@]}" "${!self_managed[@]}"
	take_away -- "${in_cluster[@]}"
}

# --- the namespace -------------------------------------------------------------------------------------

# Sets `others` to what is in the namespace beside our objects, what is made of them and what every
# namespace has.
look_for_others() {
	local kinds version object owner
	others=()
	kinds=$(must "listing the kinds of objects" "$kubectl api-resources" \
		kube api-resources --namespaced --verbs=list,delete -o name)
	# Endpoints come and go with their Services, and since 1.33 to ask for them is answered with a warning.
	kinds=${kinds/$'\n'endpoints$'\n'/$'\n'}
	must "listing what namespace $NAMESPACE holds" "$kubectl get namespace $NAMESPACE" \
		in_namespace get "${kinds//$'\n'/,}" --ignore-not-found -o \
		'go-template={{range .items}}{{.apiVersion}} {{.kind}}/{{.metadata.name}}{{range .metadata.ownerReferences}} {{.kind}}/{{.name}}{{end}}{{"\n"}}{{end}}' >"$work/others"
	while read -r version object owner; do
		object=${object,,}
		is_no_loss "$version" "$object" "${owner,,}" || others+=("$object")
	done <"$work/others"
}

# By label nobody is told from others: everyone can set it. Of an object of ours it is looked at, and of
# what a controller makes of ours, the owner.
is_no_loss() { # version kind/name owner
	case "$1 $2" in
	'v1 serviceaccount/default' | 'v1 configmap/kube-root-ca.crt' | 'v1 configmap/openshift-service-ca.crt') return ;;
	'v1 event/'* | 'events.k8s.io/'*' event/'* | 'coordination.k8s.io/'*' lease/'*) return ;;
	v1\ * | apps/v1\ * | policy/v1\ * | networking.k8s.io/v1\ * | discovery.k8s.io/* | cert-manager.io/*) ;;
	*) return 1 ;;
	esac
	[ "$(owner_of "$2")" != ours ] || return 0
	case "$2 $3" in
	controllerrevision/*" daemonset/$app" | pod/*" daemonset/$app") ;;
	replicaset/*" deployment/$app" | pod/*" replicaset/$app-"*) ;;
	endpointslice/*" service/$SERVICE_NAME") ;;
	certificaterequest/*" certificate/$app" | certificaterequest/*" certificate/$app-ca") ;;
	*) return 1 ;;
	esac
}

take_away_namespace() {
	if ! $namespace_is_ours; then
		left_alone+=("namespace $NAMESPACE, which deploy-webhook.sh did not make")
		return
	fi
	look_for_others
	if [ ${#others[@]} -gt 0 ]; then
		left_alone+=("namespace $NAMESPACE, which holds $(join ', ' "${others[@]:0:5}")")
	elif $dry_run; then
		say "would delete namespace $NAMESPACE, were it empty then"
		nothing=false
	else
		must "deleting namespace $NAMESPACE" "$kubectl get namespace $NAMESPACE -o yaml says what holds it" \
			kube delete namespace "$NAMESPACE" --timeout "$TIMEOUT" >/dev/null
		say "deleted namespace $NAMESPACE"
		nothing=false
	fi
}

# --- main ----------------------------------------------------------------------------------------------

parse() {
	local taken
	while [ $# -gt 0 ]; do
		take_common_flag "$@" || die "$usage_error" "unknown argument $1: see $me --help"
		shift "$taken"
	done
}

tell_what_is_left() {
	local what
	! $nothing || say "nothing to undeploy"
	for what in ${left_alone[@]+"${left_alone[@]}"}; do
		say "left alone: $what"
	done
	say "CustomResourceDefinition and CheckpointBackups are never touched"
}

main() {
	parse "$@"
	load_settings
	connect
	say "context $(context_name), namespace $NAMESPACE"
	ask_rights "${rights[@]}" "${rights_to_namespace[@]}" "${rights_with_cert_manager[@]}" "${self_managed[@]/#/$all }"
	need_rights "${rights[@]}"
	look_at_all
	refuse_other_installation
	refuse_their_configuration
	take_all_away
	case $namespace_state in
	active) take_away_namespace ;;
	terminating) left_alone+=("namespace $NAMESPACE, which is being deleted already") ;;
	esac
	tell_what_is_left
}

# In one line, so that nothing is read any more of a file that was changed meanwhile.
{ main "$@"; exit; }
