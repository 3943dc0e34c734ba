#!/bin/sh
# Runs the tests; arguments go to pytest. Three of them run at a time for two processors, as tests wait for what they
# have started, and no more than the machine has GiB: many have a Sanctum of their own. In CI (CI=true) what fails beside
# others runs once more alone; and where all of them run, line coverage is measured, in every process that they start,
# and has to be enough, which takes a third more time.
set -eu
cd "$(dirname "$0")/.."
workers=$(awk -v processors="$(nproc)" '/^MemTotal:/ {
  most = int(processors * 3 / 2); gib = int($2 / 1048576)
  print most < gib ? most : (gib > 0 ? gib : 1)
}' /proc/meminfo)
test='-m pytest -p tests.support.skips -p tests.support.privacy -q'
python=.venv/bin/python
[ -z "${CI:-}" ] || [ "$#" -gt 0 ] || python='.venv/bin/coverage run'
set -- -m '' "$@" # all of them, also those that are marked "again"
if [ -z "${CI:-}" ]; then
  exec $python $test -n "$workers" --dist loadgroup "$@"
fi
rm -f .coverage .coverage.*
status=0
$python $test -n "$workers" --dist loadgroup "$@" || status=$?
# 1 is of tests alone: what a plugin objects to (words in a log, a skip that nobody allowed) has a status of its own.
if [ "$status" = 1 ]; then
  echo 'Once more, one by one: what failed beside other tests may have waited for a processor, and may not fail alone.'
  status=0
  sed -i 's/@[^]"@]*":/":/' .pytest_cache/v/cache/lastfailed # xdist adds a test's group to its name
  $python $test --last-failed --last-failed-no-failures none "$@" || status=$?
fi
# The names of what failed are the last that is printed.
[ "$status" = 0 ] && [ "$python" != .venv/bin/python ] || exit "$status"
.venv/bin/coverage combine --quiet
.venv/bin/coverage report
