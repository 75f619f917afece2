#!/usr/bin/env bash
# The webhook's CA and serving certificate in a cluster, and caBundle of its configuration.
set -euo pipefail
shopt -s inherit_errexit

usage() {
	cat <<'EOT'
usage: scripts/generate-webhook-certs.sh [--renew | --renew-ca | --drop-old-ca] [--dry-run] [--context NAME]

Makes what is missing and keeps what is good: a CA (P-256, ten years) in Secret
stateful-migration-webhook-ca, a serving certificate (P-256, a year) for all four names of the Service
in Secret stateful-migration-webhook-certs, and the CA in caBundle of MutatingWebhookConfiguration
stateful-migration-pod-mutator-alt, when it exists. A certificate that expires within 30 days, or is not
good for the Service, is replaced. The servers take up a new one within two minutes, without a restart.

  --renew        a new serving certificate under the same CA
  --renew-ca     a new CA and serving certificate; the old CA stays trusted, until
  --drop-old-ca  only the present CA is trusted: once all servers have the new certificate
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
# shellcheck source=scripts/webhook-certs.sh
. "$root/scripts/webhook-certs.sh"

command=keep

parse() {
	local taken
	while [ $# -gt 0 ]; do
		case $1 in
		--renew | --renew-ca | --drop-old-ca)
			[ "$command" = keep ] || die "$usage_error" "--$command and $1 exclude each other: see $me --help"
			command=${1#--}
			taken=1
			;;
		*) take_common_flag "$@" || die "$usage_error" "unknown argument $1: see $me --help" ;;
		esac
		shift "$taken"
	done
}

# Reads what is there into $work.
read_state() {
	read_secret "$ca_secret" ca
	read_secret "$certs_secret" certs
	[ ! -s "$work/certs.manager" ] ||
		die "$failed" "Secret $certs_secret of namespace $NAMESPACE belongs to cert-manager, which renews it; to change over: $(next_script undeploy-webhook), then $(next_script deploy-webhook)"
	read_configuration
	# Trusted today: by the configuration and by what the Secret says.
	: >"$work/trusted"
	cat "$work/certs/ca.crt" "$work/caBundle" >>"$work/trusted" 2>/dev/null || true
}

# Sets `make_ca` to why a new CA is needed, empty when it is not.
judge_ca() {
	local problem=
	make_ca=
	if [ "$command" = renew-ca ]; then
		make_ca="as asked"
	elif [ -e "$work/ca/ca.crt" ] || [ -e "$work/ca/ca.key" ]; then
		problem=$(ca_problem "$work/ca")
		[ -z "$problem" ] ||
			die "$failed" "the CA in Secret $ca_secret of namespace $NAMESPACE $problem: $(next_script generate-webhook-certs --renew-ca)"
		expires_within "$work/ca/ca.crt" "$soon" &&
			say "the CA expires within 30 days: $(next_script generate-webhook-certs --renew-ca)"
	elif [ "$command" = renew ] || [ -n "$(leaf_problem "$work/certs" "$work/certs/ca.crt")" ]; then
		make_ca="there is none"
	fi
	return 0
}

# Sets `make_leaf` to why a new leaf is needed, empty when it is not.
judge_leaf() {
	local ca=$work/ca/ca.crt
	# Somebody's own certificate, with a CA whose key is not here.
	[ -e "$ca" ] || ca=$work/certs/ca.crt
	if [ -n "$make_ca" ]; then
		make_leaf="its CA is new"
	elif [ "$command" = renew ]; then
		make_leaf="as asked"
	else
		make_leaf=$(leaf_problem "$work/certs" "$ca")
	fi
}

# Sets the bundle in $work/bundle: the CA that signs, then others that are trusted and still valid.
make_bundle() {
	local signing=$work/ca/ca.crt
	[ -e "$signing" ] || signing=$work/certs/ca.crt
	if [ "$command" = drop-old-ca ]; then
		[ -z "$make_leaf" ] ||
			die "$failed" "the certificate in Secret $certs_secret is not good ($make_leaf): $(next_script generate-webhook-certs), then this once all servers have the new one"
		cat "$signing" >"$work/bundle"
	else
		valid_certificates "$signing" "$work/trusted" >"$work/bundle"
	fi
}

# caBundle is written first: no server may show a certificate before the API server trusts its CA. And
# only when it changes, for each change makes all API servers connect anew.
write_all() {
	local bundle
	bundle=$(openssl base64 -A -in "$work/bundle")
	write_ca_bundles "$bundle"
	[ -z "$make_ca" ] || write_secret "$ca_secret" Opaque ca/ca.crt ca/ca.key
	if [ -n "$make_leaf" ] || [ "$(cat "$work/bundle")" != "$(cat "$work/certs/ca.crt" 2>/dev/null)" ]; then
		cp "$work/bundle" "$work/certs/ca.crt"
		write_secret "$certs_secret" "$(cat "$work/certs.type")" certs/tls.crt certs/tls.key certs/ca.crt
	fi
}

tell_plan() {
	[ -z "$make_ca" ] || say "would make a CA ($make_ca) in Secret $NAMESPACE/$ca_secret"
	[ -z "$make_leaf" ] || say "would make a serving certificate ($make_leaf) in Secret $NAMESPACE/$certs_secret"
	[ -n "$make_leaf" ] || say "would keep the serving certificate in Secret $NAMESPACE/$certs_secret"
}

main() {
	parse "$@"
	load_place
	check_settings
	need openssl "package openssl"
	connect
	say "context $(context_name), namespace $NAMESPACE"
	look_at_namespace
	refuse_terminating_namespace
	if [ "$namespace_state" = absent ]; then
		$dry_run || die "$failed" "namespace $NAMESPACE does not exist: $(next_script deploy-webhook), or $kubectl create namespace $NAMESPACE"
	fi
	read_state
	judge_ca
	judge_leaf
	if $dry_run; then
		tell_plan
		return
	fi
	[ -z "$make_ca" ] || new_ca "$work/ca"
	[ -z "$make_leaf" ] || new_leaf "$work/ca" "$work/certs"
	make_bundle
	write_all
	if [ ${#applied[@]} -eq 0 ]; then
		say "nothing to do: CA, certificate and caBundle are good"
	fi
}

# In one line, so that nothing is read any more of a file that was changed meanwhile.
{ main "$@"; exit; }
