# Sourced by run: a container engine for the rehearsal, which is installed and started where that is possible, and the
# Python of which the base of the images is made where no registry answers.
if ! docker version >/dev/null 2>&1; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes docker.io debootstrap; } >/dev/null 2>&1 || true
  fi
  mkdir -p build
  dockerd >build/dockerd.log 2>&1 &
  engine=$!
  trap 'kill "$engine" 2>/dev/null && wait "$engine" || true' EXIT
  seconds=60
  until docker version >/dev/null 2>&1; do
    seconds=$((seconds - 1))
    if [ "$seconds" = 0 ]; then
      echo 'Not rehearsed: no container engine answers here, and none can be installed and started (build/dockerd.log).'
      exit 0
    fi
    sleep 1
  done
fi
prefix=$(python3.13 -c 'import sys; print(sys.base_prefix)' 2>/dev/null || pyenv prefix "$(pyenv latest 3.13)" 2>/dev/null || true)
[ -z "$prefix" ] || export PYTHON_PREFIX="$prefix"
