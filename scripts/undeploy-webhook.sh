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

# take_away KIND NAME [FLAG…]
take_away() {
	local kind=$1 name=$2 owner
	shift 2
	owner=$(owner_of "$kind" "$name")
	case $owner in
	absent) ;;
	theirs) left_alone+=("$kind $name, which has no label app=$app") ;;
	ours)
		if $dry_run; then
			say "would delete $kind/$name"
		else
			must "deleting $kind/$name" "kubectl --namespace $NAMESPACE get $kind $name -o yaml" \
				kube_for "$kind" delete "$kind" "$name" --ignore-not-found --timeout "$TIMEOUT" "$@" >/dev/null
			say "deleted $kind/$name"
		fi
		applied+=("$kind/$name")
		;;
	esac
}

has_cert_manager() {
	[ -n "$(must "looking for cert-manager" "kubectl get crd" \
		kube get crd certificates.cert-manager.io --ignore-not-found -o name)" ]
}

take_away_certificates() {
	local name
	if has_cert_manager; then
		# Before their Secrets, which it would make anew.
		for name in "$app" "$app-ca"; do
			take_away certificates.cert-manager.io "$name"
		done
		for name in "$app" "$app-selfsigned"; do
			take_away issuers.cert-manager.io "$name"
		done
	fi
	for name in "$certs_secret" "$ca_secret" "$app-cert-manager-ca"; do
		take_away secret "$name"
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

take_away_namespaced() {
	take_away daemonset "$app"
	take_away deployment "$app"
	take_away poddisruptionbudget "$app"
	wait_for_pods
	take_away service "$SERVICE_NAME"
	take_away networkpolicy "$app"
	take_away_certificates
	take_away serviceaccount "$app"
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
	take_away mutatingwebhookconfiguration "$configuration"
	if [ "$namespace_state" != absent ]; then
		take_away_namespaced
	fi
	take_away clusterrolebinding "$app"
	take_away clusterrole "$app"
	case $namespace_state in
	active) take_away_namespace ;;
	terminating) left_alone+=("namespace $NAMESPACE, which is being deleted already") ;;
	esac
	tell_what_is_left
}

main "$@"
exit
