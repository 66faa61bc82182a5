# Shell functions that bootstrap and .ci/run share; to be sourced in the root of the tree.
# shellcheck shell=sh

say() { printf '\n== %s\n' "$*"; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

apt_is_up_to_date=
apt() {
    [ -n "$apt_is_up_to_date" ] || as_root apt-get update -q
    apt_is_up_to_date=yes
    as_root env DEBIAN_FRONTEND=noninteractive apt-get "$@"
}

# install_packages PACKAGE...: those that are missing; nothing where there is no apt.
install_packages() {
    command -v apt-get >/dev/null || return 0
    missing=
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    say "Installing$missing"
    # shellcheck disable=SC2086
    apt install -q -y --no-install-recommends $missing
}

# Packages of these that this release has: modules of the library that need them are built if they are there.
install_optional() {
    command -v apt-get >/dev/null || return 0
    known=
    for package in "$@"; do
        apt-cache show "$package" >/dev/null 2>&1 && known="$known $package"
    done
    # shellcheck disable=SC2086
    install_packages $known
}

install_tools() {
    install_packages build-essential meson ninja-build pkg-config python3 ca-certificates \
        zlib1g-dev libmimalloc-dev "$@"
    install_optional libbz2-dev liblzma-dev libexpat1-dev libmpdec-dev libssl-dev uuid-dev
}

# find_library [PACKAGE...]: sets $library to the folder of Python's library, or to nothing where Meson has to fetch
# it (a wrap). The packages are further parts of the library.
find_library() {
    library=${KRAIT_STDLIB:-}
    [ -z "$library" ] || return 0
    own=$PWD/subprojects/python-library
    if ! command -v apt-get >/dev/null; then
        [ ! -e /usr/lib/python3.13/logging ] || library=/usr/lib/python3.13
        return 0
    fi
    if apt-cache show libpython3.13-stdlib >/dev/null 2>&1; then
        install_packages libpython3.13-stdlib "$@"
        library=/usr/lib/python3.13
        return 0
    fi
    library=$own/usr/lib/python3.13
    if [ ! -e "$library/os.py" ] || { [ $# -gt 0 ] && [ ! -e "$own/has-$1" ]; }; then
        say "Fetching Python's library (packages of Debian 13)"
        tools/get-python-library "$own" "$@"
        [ $# -eq 0 ] || touch "$own/has-$1"
    fi
}

# build FOLDER OPTION...: configures the folder if it is new, and builds everything in it.
build() {
    folder=$1
    shift
    say "Building $folder ($*)"
    [ -e "$folder/build.ninja" ] || meson setup "$folder" "-Dstdlib_dir=$library" "$@" || return 1
    meson compile -C "$folder"
}
