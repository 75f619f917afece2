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

load_settings() {
	load_place
	TIMEOUT=${TIMEOUT:-180s}
	[[ $TIMEOUT =~ ^[0-9]+s$ ]] || wrong TIMEOUT "in seconds, like 180s"
	check_settings
}

check_rights() {
	need_rights \
		"get,delete mutatingwebhookconfigurations.admissionregistration.k8s.io cluster" \
		"get,delete clusterroles.rbac.authorization.k8s.io cluster" \
		"get,delete clusterrolebindings.rbac.authorization.k8s.io cluster" \
		"get namespaces cluster" \
		"get,delete daemonsets.apps" "get,delete deployments.apps" \
		"get,delete poddisruptionbudgets.policy" "get,delete services" \
		"get,delete networkpolicies.networking.k8s.io" "get,delete secrets" \
		"get,delete serviceaccounts" "list pods"
}

# Sets `objects` to all that may be ours, in the order in which they go, and `owners` to whose they are.
look_at_all() {
	local found
	objects=("mutatingwebhookconfiguration/$configuration")
	if [ "$namespace_state" != absent ]; then
		objects+=("daemonset/$app" "deployment/$app" "poddisruptionbudget/$app" "service/$SERVICE_NAME" "networkpolicy/$app")
		found=$(must "looking for cert-manager" "kubectl get crd" \
			kube get crd certificates.cert-manager.io --ignore-not-found -o name)
		# Before their Secrets, which it would make anew.
		[ -z "$found" ] || objects+=("certificate/$app" "certificate/$app-ca" "issuer/$app" "issuer/$app-selfsigned")
		objects+=("secret/$certs_secret" "secret/$ca_secret" "secret/$app-cert-manager-ca" "serviceaccount/$app")
	fi
	objects+=("clusterrolebinding/$app" "clusterrole/$app")
	look_at "${objects[@]}"
}

# delete_one KIND/NAME
delete_one() {
	local object=$1 kubectl=in_namespace
	is_one_of "${object%%/*}" mutatingwebhookconfiguration clusterrolebinding clusterrole && kubectl=kube
	must "deleting $object" "kubectl --namespace $NAMESPACE get $object -o yaml" \
		"$kubectl" delete "$object" --ignore-not-found --timeout "$TIMEOUT" >/dev/null
	say "deleted $object"
}

take_away() {
	local object
	for object in "${objects[@]}"; do
		case ${owners[$object]:-absent} in
		absent) ;;
		theirs) left_alone+=("${object/\// }, which has no label app=$app") ;;
		ours)
			if $dry_run; then say "would delete $object"; else delete_one "$object"; fi
			applied+=("$object")
			;;
		esac
		# The last of what has Pods; the Service goes after them.
		[ "$object" != "poddisruptionbudget/$app" ] || wait_for_pods
	done
}

# They serve for as long as their shutdown takes; those who called them have learnt to call nobody.
wait_for_pods() {
	local until=$((SECONDS + ${TIMEOUT%s})) left
	! $dry_run || return 0
	while :; do
		left=$(must "looking at Pods" "kubectl --namespace $NAMESPACE get pods" \
			in_namespace get pods --selector "app=$app" -o name)
		[ -n "$left" ] || return 0
		[ "$SECONDS" -lt "$until" ] ||
			die "$failed" "Pods have not ended after $TIMEOUT: ${left//$'\n'/, }; kubectl --namespace $NAMESPACE get pods -l app=$app"
		sleep 1
	done
}

# --- the namespace -------------------------------------------------------------------------------------

# Sets `others` to what is in the namespace beside our objects and what every namespace has.
look_for_others() {
	local kinds line
	others=()
	kinds=$(must "listing the kinds of objects" "kubectl api-resources" \
		kube api-resources --namespaced --verbs=list,delete -o name)
	# Endpoints come and go with their Services, and since 1.33 to ask for them is answered with a warning.
	kinds=${kinds/$'\n'endpoints$'\n'/$'\n'}
	must "listing what namespace $NAMESPACE holds" "kubectl get namespace $NAMESPACE" \
		in_namespace get "${kinds//$'\n'/,}" --selector "app!=$app" --ignore-not-found -o name >"$work/others"
	while IFS= read -r line; do
		case $line in
		serviceaccount/default | configmap/kube-root-ca.crt | configmap/openshift-service-ca.crt | event/* | event.events.k8s.io/*) ;;
		*) others+=("$line") ;;
		esac
	done <"$work/others"
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
		applied+=("namespace")
	else
		must "deleting namespace $NAMESPACE" "kubectl get namespace $NAMESPACE -o yaml says what holds it" \
			kube delete namespace "$NAMESPACE" --timeout "$TIMEOUT" >/dev/null
		say "deleted namespace $NAMESPACE"
		applied+=("namespace")
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
	[ ${#applied[@]} -gt 0 ] || say "nothing to undeploy"
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
	check_rights
	look_at_namespace
	refuse_other_installation
	look_at_all
	take_away
	case $namespace_state in
	active) take_away_namespace ;;
	terminating) left_alone+=("namespace $NAMESPACE, which is being deleted already") ;;
	esac
	tell_what_is_left
}

# In one line, so that nothing is read any more of a file that was changed meanwhile.
{ main "$@"; exit; }
