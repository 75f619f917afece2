# shellcheck shell=bash
# The steps of deploy-webhook.sh. Sourced, not run.

# --- what is installed ---------------------------------------------------------------------------------

declare -A live=()
declare -rA defaults=([IMAGE]=$app [IMAGE_TAG]=latest [KIND]=daemonset [FAILURE_POLICY]=Ignore [CERTIFICATES]=script)
# What others added to the namespaceSelector, lines of YAML.
live_selector=

# Prints a line for each fact: of a DaemonSet or Deployment unless it has another selector than ours, as
# the Go implementation's has; of the Secret; of our webhook.
print_installation() {
	local workload secret webhook
	workload='{{if not .metadata.deletionTimestamp}}{{with .spec.selector.matchLabels}}{{if eq (len .) 1}}{{range $.spec.template.spec.containers}}{{if eq .name "webhook"}}workload {{$.metadata.creationTimestamp}} {{$.kind}} {{.image}} {{with $.metadata.labels}}{{.app}}{{end}}{{"\n"}}{{end}}{{end}}{{end}}{{end}}{{end}}'
	secret='{{with .metadata.annotations}}{{with index . "cert-manager.io/certificate-name"}}issued {{.}}{{"\n"}}{{end}}{{with index . "cert-manager.io/inject-ca-from"}}injected {{.}}{{"\n"}}{{end}}{{end}}'
	webhook='{{range .webhooks}}{{if eq .name "'$webhook_name'"}}policy {{.failurePolicy}}{{"\n"}}{{with .namespaceSelector}}{{range .matchExpressions}}{{if and (ne .key "kubernetes.io/metadata.name") (ne .key "name")}}selector   - {key: {{printf "%q" .key}}, operator: {{.operator}}{{with .values}}, values: [{{range $index, $value := .}}{{if $index}}, {{end}}{{printf "%q" $value}}{{end}}]{{end}}}{{"\n"}}{{end}}{{end}}{{with .matchLabels}}selector matchLabels: { {{- range $key, $value := .}}{{printf "%q: %q, " $key $value}}{{end -}} }{{"\n"}}{{end}}{{end}}{{end}}{{end}}'
	must "looking at what is installed" "$kubectl --namespace $NAMESPACE get daemonsets,deployments,secrets" \
		in_namespace get "daemonset/$app" "deployment/$app" "secret/$certs_secret" "mutatingwebhookconfiguration/$configuration" \
		--ignore-not-found -o 'go-template={{define "one"}}{{if eq .kind "Secret"}}'"$secret"'{{else if eq .kind "MutatingWebhookConfiguration"}}'"$secret$webhook"'{{else}}'"$workload"'{{end}}{{end}}{{if eq .kind "List"}}{{range .items}}{{template "one" .}}{{end}}{{else}}{{template "one" .}}{{end}}'
}

# Sets live[SETTING] to what an installation has, and `live_selector`. Of both kinds the one that was made
# last is the one that was wanted.
look_at_installation() {
	local facts fact value newest='' created kind image label
	facts=$(print_installation)
	while IFS=' ' read -r fact value; do
		case $fact in
		workload)
			read -r created kind image label <<<"$value"
			[[ $label = "$app" && ! $created < $newest ]] || continue
			newest=$created live[KIND]=${kind,,}
			image_parts "$image"
			;;
		issued) [ "$value" != "$app" ] || live[CERTIFICATES]=cert-manager ;;
		injected) [ "$value" != "$NAMESPACE/$app" ] || live[CERTIFICATES]=cert-manager ;;
		policy) live[FAILURE_POLICY]=$value ;;
		selector) live_selector+="      ${value/#- /  - }"$'\n' ;;
		esac
	done <<<"$facts"
}

image_parts() { # reference
	local name=${1%%@*} last
	last=${name##*/}
	live[IMAGE]=${name%"$last"}${last%%:*}
	case $1 in
	*@*) live[IMAGE_TAG]=${1#*@} ;;
	*) live[IMAGE_TAG]=$([[ $last != *:* ]] || printf '%s' "${last#*:}") ;;
	esac
}

# Gives the settings that were not given what is installed, or their defaults; `taken_over` says which.
settle() {
	local name
	taken_over=
	for name in IMAGE IMAGE_TAG KIND FAILURE_POLICY CERTIFICATES; do
		[ -z "${!name}" ] || continue
		printf -v "$name" '%s' "${live[$name]:-${defaults[$name]}}"
		[ "${!name}" = "${defaults[$name]}" ] || taken_over+=" $name=${!name}"
	done
	taken_over=${taken_over:+"; as installed:$taken_over"}
}

# --- manifests -----------------------------------------------------------------------------------------

image_reference() {
	case $IMAGE_TAG in
	sha256:*) printf '%s' "$IMAGE@$IMAGE_TAG" ;;
	*) printf '%s' "$IMAGE:$IMAGE_TAG" ;;
	esac
}

# webhook_manifest FAILURE_POLICY [CA_BUNDLE]
webhook_manifest() {
	local line file=webhook.yaml theirs=
	[ "$server_minor" -ge 30 ] || file=webhook-pre-1.30.yaml
	while IFS= read -r line; do
		# The selector is one to the API server: what others added stays only with ours.
		[[ -z $theirs || $line == '      '* ]] || { printf '%s' "$theirs" && theirs=''; }
		case $line in
		'    namespaceSelector:') theirs=$live_selector ;;
		'    failurePolicy: Ignore') line="    failurePolicy: $1" ;;
		'    clientConfig:') line+=${2:+$'\n'"      caBundle: $2"} ;;
		"  name: $configuration")
			[ "$CERTIFICATES" = script ] ||
				line+=$'\n  annotations:\n    cert-manager.io/inject-ca-from: '"\"$NAMESPACE/$app\""
			;;
		esac
		printf '%s\n' "$line"
	done < <(render "$file")
	printf '%s' "$theirs"
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

# Sets `others` to what is there of the other kind and is ours.
look_at_other_kind() {
	local object
	others=()
	objects=("deployment/$app" "poddisruptionbudget/$app")
	[ "$KIND" = daemonset ] || objects=("daemonset/$app")
	look_at "${objects[@]}"
	for object in "${objects[@]}"; do
		[ "$(owner_of "$object")" != ours ] || others+=("$object")
	done
}

# After the rollout, so that there are always servers.
delete_other_kind() {
	local other
	look_at_other_kind
	for other in ${others[@]+"${others[@]}"}; do
		must "deleting $other, instead of which there is a $KIND" "$kubectl --namespace $NAMESPACE delete $other" \
			in_namespace delete "$other" --wait=false >/dev/null
		applied+=("$other deleted")
		say "deleted $other"
	done
}

# Without waiting nobody knows whether there are others that serve.
leave_other_kind() {
	look_at_other_kind
	[ ${#others[@]} -eq 0 ] || say "left $(join ', ' "${others[@]}"): $(next_script deploy-webhook), without --no-wait, deletes it once the $KIND serves"
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

# Fail only once the webhook has answered: until then no Pod may depend on it.
configure_proven() {
	if [ "$FAILURE_POLICY" = Fail ] && [ "${live[FAILURE_POLICY]:-}" != Fail ]; then
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
