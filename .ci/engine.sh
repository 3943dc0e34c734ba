# Sourced by run: a container engine for the rehearsal and the base of its images. Both are had where that is possible;
# where it is not, this says so and ends the run well: GitHub's job always has them.
base=python:3.13-slim-bookworm

not_rehearsed() {
  echo "Not rehearsed: $1"
  exit 0
}

if ! docker version >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes docker.io debootstrap; } >/dev/null 2>&1 || true
  fi
  command -v dockerd >/dev/null || not_rehearsed 'there is no container engine, and none can be installed.'
  mkdir -p build
  dockerd >build/dockerd.log 2>&1 &
  engine=$!
  trap 'kill "$engine" 2>/dev/null && wait "$engine" || true' EXIT
  seconds=60
  until docker version >/dev/null 2>&1; do
    seconds=$((seconds - 1))
    [ "$seconds" != 0 ] || not_rehearsed "no container engine can be started: $(tail -n 1 build/dockerd.log)"
    sleep 1
  done
fi
if ! docker image inspect "$base" >/dev/null 2>&1 && ! docker pull --quiet "$base" 2>/dev/null; then
  prefix=$(python3.13 -c 'import sys; print(sys.base_prefix)' 2>/dev/null || pyenv prefix "$(pyenv latest 3.13)" 2>/dev/null || true)
  [ -n "$prefix" ] || not_rehearsed "$base can neither be pulled nor made of a CPython 3.13 of this machine."
  sh tools/images/base_image.sh "$prefix" || not_rehearsed "$base can neither be pulled nor made."
fi
