#!/usr/bin/env bash
# The webhook's CA and serving certificate in a cluster, and caBundle of its configuration.
set -euo pipefail
shopt -s inherit_errexit

usage() {
	cat <<'EOT'
usage: scripts/generate-webhook-certs.sh [--renew | --renew-ca | --drop-old-ca [--force]] [--dry-run]
                                         [--context NAME]

Makes what is missing and keeps what is good: a CA (P-256, ten years) in Secret
stateful-migration-webhook-ca, a serving certificate (P-256, a year) for all four names of the Service
in Secret stateful-migration-webhook-certs, and the CA in caBundle of MutatingWebhookConfiguration
stateful-migration-pod-mutator-alt, when it exists. A certificate that expires within 30 days, or is not
good for the Service, is replaced; one of somebody else (a Secret without label
app=stateful-migration-webhook, and no CA of ours) never is, unless --renew or --renew-ca asks for it. The
servers take up a new one within two minutes, without a restart.

  --renew        a new serving certificate under the same CA
  --renew-ca     a new CA and serving certificate; the old CA stays trusted, until
  --drop-old-ca  only the present CA is trusted: once all servers have the new certificate, so not within
                 five minutes after it was made
  --force        with --drop-old-ca: within them, too
  --dry-run      say what would be done, change nothing
  --context NAME the context of the kubeconfig, instead of the current one

environment
  NAMESPACE      of the Service and the Secrets (stateful-migration)
  SERVICE_NAME   (stateful-migration-webhook-service)

exit status: 0 done, 1 failed, 2 usage, 3 kubectl or openssl is missing or no cluster answers
EOT
}

# shellcheck source=scripts/webhook-lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/webhook-lib.sh"
# shellcheck source=scripts/webhook-certs-plan.sh
. "$root/scripts/webhook-certs-plan.sh"

parse() {
	local taken
	while [ $# -gt 0 ]; do
		taken=1
		case $1 in
		--renew | --renew-ca | --drop-old-ca)
			[ "$command" = keep ] || die "$usage_error" "--$command and $1 exclude each other: see $me --help"
			command=${1#--}
			;;
		--force) insist=true ;;
		*) take_common_flag "$@" || die "$usage_error" "unknown argument $1: see $me --help" ;;
		esac
		shift "$taken"
	done
	if $insist && [ "$command" != drop-old-ca ]; then
		die "$usage_error" "--force goes with --drop-old-ca alone: see $me --help"
	fi
}

store() {
	write_ca_bundles
	secret_manifests >"$work/secrets.yaml"
	[ ! -s "$work/secrets.yaml" ] ||
		apply_and_tell "the Secrets of namespace $NAMESPACE" "$kubectl auth can-i patch secrets --namespace $NAMESPACE" <"$work/secrets.yaml"
	[ ${#applied[@]} -gt 0 ] || say "nothing to do: CA, certificate and caBundle are good"
}

main() {
	parse "$@"
	load_place
	check_settings
	need openssl "package openssl"
	connect
	say "context $(context_name), namespace $NAMESPACE"
	look "namespace/$NAMESPACE" "secret/$ca_secret" "secret/$certs_secret" "mutatingwebhookconfiguration/$configuration"
	judge_namespace
	refuse_terminating_namespace
	if [ "$namespace_state" = absent ] && ! $dry_run; then
		die "$failed" "namespace $NAMESPACE does not exist: $(next_script deploy-webhook), or $kubectl create namespace $NAMESPACE"
	fi
	plan_certificates
	if $dry_run; then tell_certificates; else store; fi
}

# In one line, so that nothing is read any more of a file that was changed meanwhile.
{ main "$@"; exit; }
