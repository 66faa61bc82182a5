#!/bin/sh
# build.sh OUT_DIR INCLUDE_DIR... [-- CFLAGS...]: builds the parser as the extension module _kparse.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
out=$1
shift
includes=
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    includes="$includes -I$1"
    shift
done
[ $# -gt 0 ] && shift
mkdir -p "$out"
objects=
for source in "$root"/interp/parse/*.c "$here"/*.c; do
    object="$out/$(basename "$source" .c).o"
    objects="$objects $object"
    if [ ! -e "$object" ] || [ -n "$(find "$source" "$root"/interp/parse -maxdepth 1 \
        \( -path "$source" -o -name '*.h' \) -newer "$object")" ]; then
        # shellcheck disable=SC2086
        ${CC:-gcc} -std=gnu17 -O2 -g -fPIC -fvisibility=hidden -Wall -Wextra $includes \
            -I"$root/interp/parse" "$@" -c "$source" -o "$object"
    fi
done
# shellcheck disable=SC2086
${CC:-gcc} -shared "$@" $objects -o "$out/_kparse.so"
ln -sf _kparse.so "$out/_tokenize.so"
