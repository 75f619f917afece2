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
good for the Service, is replaced; one of somebody else (a Secret without label
app=stateful-migration-webhook, and no CA of ours) never is, unless --renew or --renew-ca asks for it. The
servers take up a new one within two minutes, without a restart.

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
	read_secret "$ca_secret" ca Opaque
	read_secret "$certs_secret" certs kubernetes.io/tls
	[ ! -s "$work/certs.manager" ] ||
		die "$failed" "Secret $certs_secret of namespace $NAMESPACE belongs to cert-manager, which renews it; to change over: $(next_script undeploy-webhook), then $(next_script deploy-webhook)"
	read_configuration
	# Trusted today: by the configuration and by what the Secret says.
	: >"$work/trusted"
	cat "$work/certs/ca.crt" "$work/caBundle" >>"$work/trusted" 2>/dev/null || true
}

# Whether the certificate is somebody's own: its key is nowhere else, and we could not make it anew.
is_foreign() {
	! is_one_of "$command" renew renew-ca && [ "$(cat "$work/certs.owner")" = theirs ] &&
		[ "$(cat "$work/ca.owner")" != ours ]
}

# A certificate of somebody else is good, or it is theirs to mend: it is read and nothing else.
judge_foreign() {
	local ca=$work/certs/ca.crt problem
	make_ca='' make_leaf=''
	if [ -s "$ca" ]; then
		problem=$(leaf_problem "$work/certs" "$ca" 0 "$SERVICE_NAME.$NAMESPACE.svc")
	else
		problem="it has no ca.crt"
	fi
	[ -z "$problem" ] ||
		die "$failed" "the certificate in Secret $certs_secret of namespace $NAMESPACE is not good ($problem), and not replaced, because it is not from this script: mend it, or $(next_script generate-webhook-certs --renew) makes a new one (as does $me after $kubectl --namespace $NAMESPACE delete secret $certs_secret)"
	! expires_within "$work/certs/tls.crt" "$soon" ||
		say "the certificate in Secret $certs_secret, which is not from this script, expires within 30 days"
	cp "$ca" "$work/bundle"
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
	elif [ "$command" = renew ] || [ -n "$(our_leaf_problem "$work/certs/ca.crt")" ]; then
		make_ca="there is none"
	fi
	return 0
}

our_leaf_problem() { # ca
	local names
	mapfile -t names < <(service_names)
	leaf_problem "$work/certs" "$1" "$(days_of_renewal "$1")" "${names[@]}"
}

# Sets `make_leaf` to why a new leaf is needed, empty when it is not, and `signing` to the CA that signs.
judge_leaf() {
	signing=$work/ca/ca.crt
	# Nobody has the key of that CA any more.
	[ -n "$make_ca" ] || [ -e "$signing" ] || signing=$work/certs/ca.crt
	if [ -n "$make_ca" ]; then
		make_leaf="its CA is new"
	elif [ "$command" = renew ]; then
		make_leaf="as asked"
	else
		make_leaf=$(our_leaf_problem "$signing")
	fi
	if [ "$command" = drop-old-ca ] && [ -n "$make_leaf" ]; then
		die "$failed" "the certificate in Secret $certs_secret is not good ($make_leaf): $(next_script generate-webhook-certs), then this once all servers have the new one"
	fi
}

# Sets the bundle in $work/bundle: the CA that signs, then others that are trusted and still valid.
make_bundle() {
	if [ "$command" = drop-old-ca ]; then
		cat "$signing" >"$work/bundle"
	else
		valid_certificates "$signing" "$work/trusted" >"$work/bundle"
	fi
}

# caBundle is written first: no server may show a certificate before the API server trusts its CA. And
# only when it changes, for each change makes all API servers connect anew.
write_all() {
	write_ca_bundles "$(openssl base64 -A -in "$work/bundle")"
	[ -z "$make_ca" ] || write_secret "$ca_secret" ca ca.crt ca.key
	if [ -n "$make_leaf" ] || [ "$(cat "$work/bundle")" != "$(cat "$work/certs/ca.crt" 2>/dev/null)" ]; then
		cp "$work/bundle" "$work/certs/ca.crt"
		write_secret "$certs_secret" certs tls.crt tls.key ca.crt
	fi
}

tell_plan() {
	[ -z "$make_ca" ] || say "would make a CA ($make_ca) in Secret $NAMESPACE/$ca_secret"
	[ -z "$make_leaf" ] || say "would make a serving certificate ($make_leaf) in Secret $NAMESPACE/$certs_secret"
	[ -n "$make_leaf" ] || say "would keep the serving certificate in Secret $NAMESPACE/$certs_secret"
	# A CA that is not made yet is in no bundle.
	[ -z "$make_ca" ] || : >"$work/bundle"
	write_ca_bundles "$(openssl base64 -A -in "$work/bundle")"
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
	if is_foreign; then
		judge_foreign
	else
		judge_ca
		judge_leaf
	fi
	if ! $dry_run; then
		[ -z "$make_ca" ] || new_ca "$work/ca"
		[ -z "$make_leaf" ] || new_leaf "$work/ca" "$work/certs"
	fi
	if [ ! -e "$work/bundle" ] && [ -e "$signing" ]; then
		make_bundle
	fi
	if $dry_run; then
		tell_plan
		return
	fi
	write_all
	if [ ${#applied[@]} -eq 0 ]; then
		say "nothing to do: CA, certificate and caBundle are good"
	fi
}

# In one line, so that nothing is read any more of a file that was changed meanwhile.
{ main "$@"; exit; }
