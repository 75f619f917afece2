# shellcheck shell=bash
# What CA, certificate and caBundle need, judged by what is there, and carried out: for
# generate-webhook-certs.sh and deploy-webhook.sh. Sourced after webhook-lib.sh, not run.

# shellcheck source=scripts/webhook-certs.sh
. "$root/scripts/webhook-certs.sh"

# What is asked for: keep, renew, renew-ca or drop-old-ca; with `insist` not to wait for anybody.
command=keep
insist=false

# For so long after a new certificate some server may still show the old one: the kubelet brings a Secret to
# its Pods within two minutes.
readonly taken_up_after=300

# --- what is there -------------------------------------------------------------------------------------

# load_secret NAME DIR TYPE: each of its keys becomes a file of $work/DIR, which is empty without the Secret;
# DIR.type is its type, else TYPE.
load_secret() {
	local object key value
	mkdir "$work/$2"
	printf '%s' "$3" >"$work/$2.type"
	while read -r object value; do
		[ "$object" != "Secret/$1" ] || printf '%s' "$value" >"$work/$2.type"
	done < <(facts type)
	while read -r object key value; do
		[ "$object" != "Secret/$1" ] || printf '%s' "$value" | openssl base64 -d -A >"$work/$2/$key"
	done < <(facts data)
}

# Sets `bundles`, a line "index caBundle" for each webhook of the configuration that calls our Service.
load_bundles() {
	local namespace service index bundle
	bundles=()
	: >"$work/caBundle"
	while read -r _ namespace service index bundle; do
		[ "$namespace/$service" = "$NAMESPACE/$SERVICE_NAME" ] || continue
		bundles+=("$index $bundle")
		[ "$bundle" = none ] || printf '%s' "$bundle" | openssl base64 -d -A >>"$work/caBundle"
	done < <(facts calls)
}

load_state() {
	load_secret "$ca_secret" ca Opaque
	load_secret "$certs_secret" certs kubernetes.io/tls
	[[ $'\n'$(facts issued) != *$'\n'"Secret/$certs_secret "* ]] ||
		die "$failed" "Secret $certs_secret of namespace $NAMESPACE belongs to cert-manager, which renews it; to change over: $(next_script undeploy-webhook), then $(next_script deploy-webhook)"
	load_bundles
	# Trusted today: by the configuration and by what the Secret says.
	: >"$work/trusted"
	cat "$work/certs/ca.crt" "$work/caBundle" >>"$work/trusted" 2>/dev/null || true
}

# --- what it needs -------------------------------------------------------------------------------------

# Whether the certificate is somebody's own: its key is nowhere else, and we could not make it anew.
is_foreign() {
	! is_one_of "$command" renew renew-ca && [ "$(owner_of "secret/$certs_secret")" = theirs ] &&
		[ "$(owner_of "secret/$ca_secret")" != ours ]
}

# A certificate of somebody else is good, or it is theirs to mend: it is read and nothing else.
judge_foreign() {
	local ca=$work/certs/ca.crt problem
	make_ca='' make_leaf='' signing=$work/certs/ca.crt
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
		! expires_within "$work/ca/ca.crt" "$soon" ||
			say "the CA expires within 30 days: $(next_script generate-webhook-certs --renew-ca)"
	elif [ "$command" = renew ] || [ -n "$(our_leaf_problem "$work/certs/ca.crt")" ]; then
		make_ca="there is none"
	fi
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
	[ "$command" != drop-old-ca ] || judge_drop
}

# Who still shows the old certificate, and who has not heard of the new CA yet, would not be trusted any more.
judge_drop() {
	[ -z "$make_leaf" ] ||
		die "$failed" "the certificate in Secret $certs_secret is not good ($make_leaf): $(next_script generate-webhook-certs), then this once all servers have the new one"
	# Nothing is dropped.
	[ "$(valid_certificates "$signing" "$work/trusted")" != "$(valid_certificates "$signing")" ] || return 0
	$insist || was_valid "$work/certs/tls.crt" $((backdated + taken_up_after)) ||
		die "$failed" "the certificate in Secret $certs_secret is younger than $((taken_up_after / 60)) minutes, so some server may still show the one before, which only the old CA vouches for: see by $kubectl --namespace $NAMESPACE exec POD -- $app certs inspect which one each Pod has, and wait, or insist by $(next_script generate-webhook-certs --drop-old-ca --force)"
}

# Sets the bundle in $work/bundle: the CA that signs, then others that are trusted and still valid.
make_bundle() {
	if [ "$command" = drop-old-ca ]; then
		cat "$signing" >"$work/bundle"
	else
		valid_certificates "$signing" "$work/trusted" >"$work/bundle"
	fi
}

# By what look has found. All that can be wrong is said here, and keys are made, so that carrying it out is
# only writing.
plan_certificates() {
	load_state
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
	if [ ! -e "$work/bundle" ]; then
		# A CA that is not made yet is in no bundle.
		if $dry_run && [ -n "$make_ca" ]; then : >"$work/bundle"; else make_bundle; fi
	fi
}

tell_certificates() {
	[ -z "$make_ca" ] || say "would make a CA ($make_ca) in Secret $NAMESPACE/$ca_secret"
	[ -z "$make_leaf" ] || say "would make a serving certificate ($make_leaf) in Secret $NAMESPACE/$certs_secret"
	[ -n "$make_leaf" ] || say "would keep the serving certificate in Secret $NAMESPACE/$certs_secret"
	write_ca_bundles
}

# --- storing -------------------------------------------------------------------------------------------

# The Secrets that are new, as manifests: never as arguments, which can be seen by all.
secret_manifests() {
	[ -z "$make_ca" ] || secret_manifest "$ca_secret" ca ca.crt ca.key
	if [ -n "$make_leaf" ] || [ "$(cat "$work/bundle")" != "$(cat "$work/certs/ca.crt" 2>/dev/null)" ]; then
		cp "$work/bundle" "$work/certs/ca.crt"
		secret_manifest "$certs_secret" certs tls.crt tls.key ca.crt
	fi
}

# secret_manifest NAME DIR FILE…: files of $work/DIR. One that was there without our label does not get it:
# undeploy-webhook.sh deletes by it.
secret_manifest() {
	local name=$1 dir=$2 labels='' file
	shift 2
	[ "$(owner_of "secret/$name")" = theirs ] || labels=$'  labels:\n    app: '$app$'\n'
	printf -- '---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: "%s"\n' "$name" "$NAMESPACE"
	printf '%stype: %s\ndata:\n' "$labels" "$(cat "$work/$dir.type")"
	for file in "$@"; do
		printf '  %s: %s\n' "$file" "$(openssl base64 -A -in "$work/$dir/$file")"
	done
}

# Before the Secrets: no server may show a certificate before the API server trusts its CA. And only what
# changes, for each change makes all API servers connect anew.
write_ca_bundles() {
	local entry index wanted
	wanted=$(openssl base64 -A -in "$work/bundle")
	for entry in ${bundles[@]+"${bundles[@]}"}; do
		index=${entry%% *}
		[ "${entry#* }" != "$wanted" ] || continue
		if $dry_run; then
			say "would write caBundle of MutatingWebhookConfiguration $configuration"
			continue
		fi
		must "writing caBundle of MutatingWebhookConfiguration $configuration" "$kubectl auth can-i patch mutatingwebhookconfigurations" \
			kube patch mutatingwebhookconfiguration "$configuration" --type json --patch \
			"[{\"op\": \"test\", \"path\": \"/webhooks/$index/clientConfig/service/name\", \"value\": \"$SERVICE_NAME\"},
			{\"op\": \"add\", \"path\": \"/webhooks/$index/clientConfig/caBundle\", \"value\": \"$wanted\"}]" >/dev/null
		applied+=("caBundle")
		say "wrote caBundle of MutatingWebhookConfiguration $configuration"
	done
}
