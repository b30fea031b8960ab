#!/usr/bin/env bash
# usage: make_ca.sh <dir> <name or address>…
# Makes an authority of a test's own (ca.pem) and a server certificate by it (server.pem, server.key).
set -euo pipefail
dir=${1:?usage: make_ca.sh <dir> <name or address>…}
shift
mkdir -p "$dir"
names=()
for name; do
    if [[ $name =~ ^[0-9.]+$ || $name == *:* ]]; then names+=("IP:$name"); else names+=("DNS:$name"); fi
done
key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
{
    openssl req -x509 "${key[@]}" -keyout "$dir/ca.key" -out "$dir/ca.pem" -days 30 -subj "/CN=scad test authority" \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign
    openssl req "${key[@]}" -keyout "$dir/server.key" -out "$dir/server.csr" -subj "/CN=$1"
    openssl x509 -req -in "$dir/server.csr" -CA "$dir/ca.pem" -CAkey "$dir/ca.key" -CAcreateserial -days 30 \
        -out "$dir/server.pem" -extfile <(
            IFS=,
            printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth\n' "${names[*]}"
        )
} 2>"$dir/openssl.log" || {
    cat "$dir/openssl.log" >&2
    exit 1
}
rm -f "$dir/server.csr" "$dir/openssl.log"
