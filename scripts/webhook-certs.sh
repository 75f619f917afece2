# shellcheck shell=bash
# Certificates: what they are good for, and new ones. Sourced, not run. Keys are files of $work alone,
# which only their owner can read and which goes with the script.

readonly day=86400
readonly soon=$((30 * day))
readonly ca_days=3650
# Certificates are valid since then, because the clocks of this machine, the nodes and the API server differ.
readonly backdated=3600

# --- what it is good for -------------------------------------------------------------------------------

expires_within() { # certificate seconds
	! openssl x509 -in "$1" -noout -checkend "$2" >/dev/null 2>&1
}

# Whether it was valid then already.
was_valid() { # certificate seconds-ago
	local now
	printf -v now '%(%s)T' -1
	openssl verify -attime $((now - $2)) -partial_chain -no-CApath -no-CAstore -CAfile "$1" "$1" >/dev/null 2>&1
}

is_certificate() { # file
	openssl x509 -in "$1" -noout 2>/dev/null
}

belong_together() { # certificate key
	[ "$(openssl x509 -in "$1" -noout -pubkey 2>/dev/null)" = "$(openssl pkey -in "$2" -pubout 2>/dev/null)" ]
}

# Why the CA in DIR can sign nothing more; nothing when it can.
ca_problem() { # dir
	if ! is_certificate "$1/ca.crt"; then
		printf 'cannot be read'
	elif [ ! -e "$1/ca.key" ] || ! belong_together "$1/ca.crt" "$1/ca.key"; then
		printf 'has a key that does not belong to it'
	elif expires_within "$1/ca.crt" 0; then
		printf 'has expired'
	elif expires_within "$1/ca.crt" "$day"; then
		printf 'expires within a day'
	fi
}

service_names() {
	printf '%s\n' "$SERVICE_NAME" "$SERVICE_NAME.$NAMESPACE" "$SERVICE_NAME.$NAMESPACE.svc" \
		"$SERVICE_NAME.$NAMESPACE.svc.cluster.local"
}

# The first of the names for which the certificate is not good.
missing_name() { # certificate name…
	local certificate=$1 name
	shift
	for name in "$@"; do
		[[ $(openssl x509 -in "$certificate" -noout -checkhost "$name") == *'does match'* ]] ||
			{ printf '%s' "$name" && return; }
	done
}

# Whether the CAs of the file, and no others of this machine, vouch for the certificate. As to the API
# server, a CA of the file need not be a root, and what is between is behind the certificate in its file.
is_vouched_for() { # certificate cas
	[ -e "$2" ] && openssl verify -purpose sslserver -partial_chain -no-CApath -no-CAstore \
		-CAfile "$2" -untrusted "$1" "$1" >/dev/null 2>&1
}

# For how many days the CA can sign: a leaf that outlives it is not trusted to its end.
days_of_leaf() { # ca
	local days
	for days in 365 180 90 60 30 7 1; do
		expires_within "$1" $((days * day)) || break
	done
	printf '%s' "$days"
}

# How many days before its end a leaf is replaced: a month, but never when a new one would be as near to
# its own.
days_of_renewal() { # ca
	local days
	days=$(($(days_of_leaf "$1") / 2))
	printf '%s' $((days < 30 ? days : 30))
}

# Why the serving certificate in DIR must be replaced this many days before its end; nothing when it is
# good.
leaf_problem() { # dir ca days name…
	local leaf=$1/tls.crt ca=$2 days=$3 name
	if [ ! -s "$leaf" ] || [ ! -s "$1/tls.key" ]; then
		printf 'there is none'
	elif ! is_certificate "$leaf"; then
		printf 'what is there cannot be read'
	elif ! belong_together "$leaf" "$1/tls.key"; then
		printf 'its key does not belong to it'
	elif expires_within "$leaf" 0; then
		printf 'it has expired'
	elif expires_within "$leaf" $((days * day)); then
		printf 'it expires within %s days' "$days"
	elif ! is_vouched_for "$leaf" "$ca"; then
		printf 'the CA did not sign it'
	else
		shift 3
		name=$(missing_name "$leaf" "$@")
		[ -z "$name" ] || printf 'it lacks the name %s' "$name"
	fi
}

# The certificates of all these files that have not expired, each once, in this order.
valid_certificates() { # file…
	local line pem='' one=$work/one seen=
	while IFS= read -r line || [ -n "$line" ]; do
		[[ $line != *BEGIN* ]] || pem=
		pem+=$line$'\n'
		[[ $line == *'END CERTIFICATE'* ]] || continue
		printf '%s' "$pem" >"$one"
		if is_certificate "$one" && ! expires_within "$one" 0; then
			pem=$(openssl x509 -in "$one")
			[[ $seen == *"$pem"* ]] || printf '%s\n' "$pem"
			seen+=$pem
		fi
	done < <(cat "$@")
}

# --- issuing -------------------------------------------------------------------------------------------

# In UTC, in `openssl ca`'s words.
time_in() { # seconds
	local now
	printf -v now '%(%s)T' -1
	TZ=UTC printf "%(%Y%m%d%H%M%SZ)T" $((now + $1))
}

new_key() { # file
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>"$work/stderr" ||
		die "$failed" "making a key: $(why); openssl version"
}

# `openssl ca`, for it alone lets one say from when on a certificate is valid.
sign() { # request certificate seconds extensions flag…
	local request=$1 certificate=$2 seconds=$3 extensions=$4
	shift 4
	: >"$work/index"
	cat >"$work/openssl.cnf" <<-EOT
		[ca]
		default_ca = authority
		[authority]
		database = $work/index
		new_certs_dir = $work
		rand_serial = yes
		unique_subject = no
		default_md = sha256
		policy = any_subject
		[any_subject]
		commonName = supplied
		[extensions]
		subjectKeyIdentifier = hash
		$extensions
	EOT
	openssl ca -batch -notext -config "$work/openssl.cnf" -extensions extensions \
		-startdate "$(time_in -$backdated)" -enddate "$(time_in "$seconds")" \
		-in "$request" -out "$certificate" "$@" >/dev/null 2>"$work/stderr" ||
		die "$failed" "signing a certificate: $(why); openssl version"
}

request() { # key common-name file
	openssl req -new -key "$1" -subj "/CN=$2" -out "$3" 2>"$work/stderr" ||
		die "$failed" "requesting a certificate: $(why); openssl version"
}

new_ca() { # dir
	# Two CAs are told apart by their names where only those are shown.
	new_key "$1/ca.key"
	request "$1/ca.key" "$app-ca-$(openssl rand -hex 4)" "$work/request"
	sign "$work/request" "$1/ca.crt" $((ca_days * day)) \
		$'basicConstraints = critical, CA:TRUE, pathlen:0\nkeyUsage = critical, keyCertSign, cRLSign' \
		-selfsign -keyfile "$1/ca.key"
}

new_leaf() { # dir-of-ca dir
	local days names
	days=$(days_of_leaf "$1/ca.crt")
	names=$(service_names)
	new_key "$2/tls.key"
	request "$2/tls.key" "$SERVICE_NAME" "$work/request"
	sign "$work/request" "$2/tls.crt" $((days * day)) \
		$'authorityKeyIdentifier = keyid\nbasicConstraints = critical, CA:FALSE\nkeyUsage = critical, digitalSignature\nextendedKeyUsage = serverAuth\nsubjectAltName = '"DNS:${names//$'\n'/, DNS:}" \
		-cert "$1/ca.crt" -keyfile "$1/ca.key"
}
