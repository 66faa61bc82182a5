# Shell functions that count tests, for bootstrap and .ci/run; to be sourced after setup.sh.
# shellcheck shell=sh

passed=0
failed=0
# What failed, with the end of what it printed: shown again below everything else.
failures=$(mktemp)
output=$(mktemp)
trap 'rm -f "$failures" "$output"' EXIT

# add PASSED FAILED
add() {
    passed=$((passed + $1))
    failed=$((failed + $2))
}

# fail NAME: counts a failure; $output is what it printed.
fail() {
    add 0 1
    { say "FAILED: $1"; tail -n 40 "$output"; } >>"$failures"
}

# check NAME COMMAND...: one test, which is a command; it is heard only when it fails.
check() {
    name=$1
    shift
    say "$name"
    if "$@" >"$output" 2>&1; then
        add 1 0
    else
        echo "failed with exit status $?"
        fail "$name: $*"
    fi
}

# meson_test FOLDER ARGUMENT...: runs `meson test`; each of its tests counts.
meson_test() {
    folder=$1
    shift
    meson test -C "$folder" --print-errorlogs "$@" || true
    # shellcheck disable=SC2046
    add $(tools/count-tests "$folder/meson-logs/testlog.json" "$folder" "$failures")
}

# build_counted FOLDER OPTION...: what does not build is one failure.
build_counted() {
    build "$@" && return 0
    echo "(the compiler's words are above)" >"$output"
    fail "building $1"
    return 1
}

# test_build FOLDER OPTION...: builds, and runs all but the long tests.
test_build() {
    build_counted "$@" || return 0
    say "Testing $1"
    meson_test "$1" --no-suite long
}

# report: the failures, and the line "N passed, N failed"; its status says whether all passed.
report() {
    cat "$failures"
    say "All of it"
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}
