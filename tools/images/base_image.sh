#!/bin/sh
# Makes an image named like the base of the Dockerfiles, for a machine that reaches no container registry. With one:
#   docker pull python:3.13-slim-bookworm
# It is Debian 12 with the packages that the official image has, and CPython 3.13 of this machine, without its own
# packages but pip. The certificate authorities that this machine trusts are trusted in it too, so never push it.
# An interpreter that was built without --enable-optimizations, as pyenv's are where nothing else is asked for, makes a
# start slower than the official image's: to import the backend takes it 1.4 times as long as an optimized one.
#
#   base_image.sh PYTHON_PREFIX      (a CPython 3.13 built on Debian 12, for example by pyenv; needs root, debootstrap, docker)
set -eu
prefix=$1
image=python:3.13-slim-bookworm
build=$(mktemp -d)
root=$build/root
trap 'rm -rf "$build"' EXIT

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -n 1)
debootstrap --variant=minbase --include=ca-certificates,libbz2-1.0,libffi8,liblzma5,libncursesw6,libreadline8,libsqlite3-0,libssl3,libuuid1,netbase,tzdata,zlib1g \
  bookworm "$root" "$mirror" > "$build/log" || { tail -n 5 "$build/log" >&2; exit 1; }

cp -a "$prefix/bin" "$prefix/include" "$prefix/lib" "$root/usr/local/"
find "$root/usr/local" -depth \( -name __pycache__ -o -name test -o -name tests -o -name idlelib -o -name tkinter -o -name '*.a' \) -exec rm -rf {} +
find "$root"/usr/local/lib/python3.13/site-packages -mindepth 1 -maxdepth 1 ! -name 'pip*' -exec rm -rf {} +
find "$root"/usr/local -name '*.so*' -type f -exec strip --strip-unneeded {} +
sed -i '1s|^#!.*|#!/usr/local/bin/python3.13|' "$root"/usr/local/bin/pip*
chroot "$root" ldconfig

for authority in /usr/local/share/ca-certificates/*.crt; do
  [ ! -e "$authority" ] || cp "$authority" "$root/usr/local/share/ca-certificates/"
done
chroot "$root" update-ca-certificates > "$build/log" 2>&1
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/*

tar -C "$root" --numeric-owner -c . | docker import --change 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' \
  --change 'ENV LANG=C.UTF-8' --change 'CMD ["python3"]' - "$image"
docker image inspect "$image" --format '{{.Size}} bytes'
