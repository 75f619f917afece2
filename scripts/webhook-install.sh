# shellcheck shell=bash
# The steps of deploy-webhook.sh. Sourced, not run.

# --- manifests -----------------------------------------------------------------------------------------

image_reference() {
	case $IMAGE_TAG in
	sha256:*) printf '%s' "$IMAGE@$IMAGE_TAG" ;;
	*) printf '%s' "$IMAGE:$IMAGE_TAG" ;;
	esac
}

# webhook_manifest FAILURE_POLICY [CA_BUNDLE]
webhook_manifest() {
	local line file=webhook.yaml
	[ "$server_minor" -ge 30 ] || file=webhook-pre-1.30.yaml
	while IFS= read -r line; do
		case $line in
		'    failurePolicy: Ignore') line="    failurePolicy: $1" ;;
		'    clientConfig:') line+=${2:+$'\n'"      caBundle: $2"} ;;
		"  name: $configuration")
			[ "$CERTIFICATES" = script ] ||
				line+=$'\n  annotations:\n    cert-manager.io/inject-ca-from: '"\"$NAMESPACE/$app\""
			;;
		esac
		printf '%s\n' "$line"
	done < <(render "$file")
}

# All but the CRD, which is not ours, in the order in which they are applied.
all_manifests() {
	local file
	for file in rbac.yaml service.yaml "$KIND.yaml"; do
		printf -- '---\n'
		render "$file"
	done
	if [ "$CERTIFICATES" = cert-manager ]; then
		printf -- '---\n'
		render cert-manager.yaml
	fi
	printf -- '---\n'
	webhook_manifest "$FAILURE_POLICY"
}

# apply_file FILE [PATTERN]: but for the documents with a line like PATTERN.
apply_file() {
	render "$1" | without_documents "${2:-^$app is no line of YAML$}" >"$work/$1"
	must "applying deploy/$1" "$kubectl --namespace $NAMESPACE get events" apply <"$work/$1" >/dev/null
	applied+=("$1")
	say "applied deploy/$1"
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

look_at_crd() {
	local found
	found=$(must "looking at the CustomResourceDefinition $crd" "$kubectl get crd $crd" \
		kube get crd "$crd" --ignore-not-found -o name)
	crd_state=absent
	[ -z "$found" ] || crd_state=there
}

# `create` never changes one that somebody else made since we looked.
create_crd() {
	if [ "$crd_state" = there ]; then
		say "left the CustomResourceDefinition $crd as it is"
		return
	fi
	must "creating the CustomResourceDefinition $crd" "$kubectl get crd $crd" \
		kube create -f "$root/deploy/crd.yaml" >/dev/null
	applied+=("CustomResourceDefinition")
	say "created the CustomResourceDefinition $crd"
}

# --- certificate ---------------------------------------------------------------------------------------

certificates() {
	NAMESPACE=$NAMESPACE SERVICE_NAME=$SERVICE_NAME \
		"$root/scripts/generate-webhook-certs.sh" "${context_flags[@]}" "$@"
}

make_certificate() {
	local said
	if [ "$CERTIFICATES" = cert-manager ]; then
		apply_file cert-manager.yaml
		must "waiting for cert-manager" "$kubectl --namespace $NAMESPACE describe certificates" \
			in_namespace wait --for condition=Ready "certificate/$app" --timeout "$ROLLOUT_TIMEOUT" >/dev/null
		return
	fi
	# Its error line says what to run next; a second one would not know more.
	said=$(certificates) || exit $?
	# Its first line says the context once more.
	say "${said#*$'\n'}"
	applied+=("certificate")
}

# What the API server must trust: what the Secret says, be it the script's or cert-manager's.
ca_bundle() {
	local bundle
	bundle=$(must "reading the CA in Secret $certs_secret" "$kubectl --namespace $NAMESPACE get secret $certs_secret" \
		in_namespace get secret "$certs_secret" -o 'go-template={{with index .data "ca.crt"}}{{.}}{{end}}')
	[ -n "$bundle" ] ||
		die "$failed" "Secret $certs_secret of namespace $NAMESPACE has no ca.crt, so nobody would trust the server: put its CA there, or delete the Secret, then run $me again"
	printf '%s' "$bundle"
}

# --- servers -------------------------------------------------------------------------------------------

wait_for_rollout() {
	say "waiting for the rollout of $KIND/$app (at most $ROLLOUT_TIMEOUT)"
	in_namespace rollout status "$KIND/$app" --timeout "$ROLLOUT_TIMEOUT" >/dev/null 2>"$work/stderr" ||
		die "$failed" "the rollout of $KIND/$app is not complete after $ROLLOUT_TIMEOUT: $(why); $kubectl --namespace $NAMESPACE describe pods -l app=$app says what is missing"
}

# After the rollout, so that there are always servers.
delete_other_kind() {
	local other others=("deployment/$app" "poddisruptionbudget/$app")
	[ "$KIND" = daemonset ] || others=("daemonset/$app")
	look_at "${others[@]}"
	for other in "${others[@]}"; do
		[ "${owners[$other]:-}" = ours ] || continue
		must "deleting $other, instead of which there is a $KIND" "$kubectl --namespace $NAMESPACE delete $other" \
			in_namespace delete "$other" --wait=false >/dev/null
		applied+=("$other deleted")
		say "deleted $other"
	done
}

# --- the configuration ---------------------------------------------------------------------------------

configure() { # failure-policy
	local bundle
	bundle=$(ca_bundle)
	webhook_manifest "$1" "$bundle" >"$work/webhook.yaml"
	must "applying the MutatingWebhookConfiguration $configuration" "$kubectl get mutatingwebhookconfiguration $configuration" \
		apply <"$work/webhook.yaml" >/dev/null
	applied+=("MutatingWebhookConfiguration with failurePolicy $1")
	say "applied the MutatingWebhookConfiguration $configuration, failurePolicy $1"
}

live_failure_policy() {
	must "reading the MutatingWebhookConfiguration $configuration" "$kubectl get mutatingwebhookconfiguration $configuration" \
		kube get mutatingwebhookconfiguration "$configuration" --ignore-not-found -o \
		"go-template={{range .webhooks}}{{if eq .name \"$webhook_name\"}}{{.failurePolicy}}{{end}}{{end}}"
}

# Fail only once the webhook has answered: until then no Pod may depend on it.
configure_proven() {
	local live
	live=$(live_failure_policy)
	if [ "$FAILURE_POLICY" = Fail ] && [ "$live" != Fail ]; then
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

# The API server learns of a configuration by a watch, so a moment after it is stored.
self_test() {
	local nonce=smw-$RANDOM$RANDOM$RANDOM until=$((SECONDS + ${SELF_TEST_TIMEOUT%s})) answer created
	self_test_pod "$nonce" >"$work/pod.yaml"
	while :; do
		created=true
		kube create --dry-run=server -f "$work/pod.yaml" >/dev/null 2>"$work/stderr" || created=false
		answer=$(cat "$work/stderr")
		[[ ! $answer =~ $app\ [^\ ]+\ answered\ $nonce ]] || break
		[ "$SECONDS" -lt "$until" ] || give_up_self_test "$created"
		sleep 0.5
	done
	say "self-test: ${BASH_REMATCH[0]}"
}

give_up_self_test() { # pod-was-created
	# Under Fail it is the API server that says why; under Ignore nobody does.
	[[ ! $(why) =~ failed\ calling\ webhook\ .*"$webhook_name" ]] ||
		die "$failed" "the webhook did not answer the self-test in namespace $SELF_TEST_NAMESPACE, and Pods of Jobs are refused: $(why); $kubectl --namespace $NAMESPACE logs -l app=$app"
	! $1 || die "$failed" "the webhook did not answer the self-test in namespace $SELF_TEST_NAMESPACE, Pods of Jobs are not restored: does the API server reach port 9443 of the Pods, and trust their certificate? $kubectl --namespace $NAMESPACE logs -l app=$app"
	die "$failed" "the Pod of the self-test was refused in namespace $SELF_TEST_NAMESPACE: $(why); name another one by SELF_TEST_NAMESPACE and run $me again"
}
