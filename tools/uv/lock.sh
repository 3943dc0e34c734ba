#!/bin/sh
# Writes every lock file: complete, hashed, for every platform and for Python 3.11 to 3.13, with no index address.
# The development lock comes first and the others follow it, so that all of them agree.
# UPGRADE=1 takes the newest versions that are a week old: most of those that were taken over by somebody are found by
# then. COOLDOWN='0 days' takes a newer one, that mends something. Without UPGRADE what is locked stays.
set -eu
uv=$1
compile() { # input, output, more options
  input=$1 output=$2
  shift 2
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
    --override requirements-overrides.txt ${UPGRADE:+--upgrade --exclude-newer "${COOLDOWN:-7 days}"} "$@" "$input" -o "$output"
  echo "$output"
}
compile requirements-dev.in requirements-dev.txt
for folder in . services/backend services/ai_core local; do
  compile "$folder/requirements.in" "$folder/requirements.txt" --constraint requirements-dev.txt
done
for tool in delivery dependencies; do
  compile "tools/$tool/requirements.in" "tools/$tool/requirements.txt" --constraint requirements-dev.txt
done
for tool in uv checkov ministack; do
  compile "tools/$tool/requirements.in" "tools/$tool/requirements.txt"
done
