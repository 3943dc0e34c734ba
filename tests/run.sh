#!/bin/sh
# Runs the tests; arguments go to pytest. In CI (CI=true) line coverage is measured too, in every process that they
# start, and has to be enough; measuring takes a third more time.
set -eu
cd "$(dirname "$0")/.."
if [ -z "${CI:-}" ]; then
  exec .venv/bin/python -m pytest -p tests.support.skips -p tests.support.privacy -n 3 --dist loadgroup -q "$@"
fi
rm -f .coverage .coverage.*
status=0
.venv/bin/coverage run -m pytest -p tests.support.skips -p tests.support.privacy -n 3 --dist loadgroup -q "$@" || status=$?
.venv/bin/coverage combine --quiet
.venv/bin/coverage report || status=$((status ? status : $?))
exit "$status"
