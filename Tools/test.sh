#!/usr/bin/env bash
# Everything that has to hold: set-up, format, import rules, build, tests. Quickest first.
# JOBS sets how many compilers run at a time, FILTER which tests run (a regular expression).
set -euo pipefail
cd "$(dirname "$0")/.."
. Tools/steps.sh

jobs=${JOBS:-2}
log=.build/test-output.txt

run_tests() {
    local filter=()
    [ -z "${FILTER:-}" ] || filter=(--filter "$FILTER")
    # XCTest is left out: it would close on a line of its own that counts no tests.
    swift test -c release --skip-build --disable-xctest ${filter[@]+"${filter[@]}"} \
        2>&1 </dev/null | tee "$log"
}

# The generated C functions must be what the generator gives; it reads what the torch wheel ships.
check_bindings() {
    if python3 -c 'import typing_extensions, yaml' 2>/dev/null &&
        [ -e .libtorch/../torchgen ]; then
        PYTHONDONTWRITEBYTECODE=1 python3 Tools/bindings/generate.py --check
    else
        echo "left out: it needs PyYAML, typing-extensions and the torchgen folder of the wheel"
    fi
}

# Two tests read our logs with TensorBoard's own reader. Where no Python has it, it is installed below
# .build; without a network these tests are skipped, and the last line says so.
provide_tensorboard() {
    local home=.build/tensorboard python=${FRAMEPACK_PYTHON:-python3}
    local look='from tensorboard.backend.event_processing import event_accumulator'
    if "$python" -c "$look" 2>/dev/null; then return; fi
    if ! "$home/bin/python" -c "$look" 2>/dev/null; then
        rm -rf "$home"
        if ! { python3 -m venv "$home" && "$home/bin/pip" install --quiet \
            --disable-pip-version-check -r Tools/fixtures/tensorboard.txt; }; then
            echo "left out: it needs Python's venv and pip, and a network"
            return
        fi
    fi
    export FRAMEPACK_PYTHON=$PWD/$home/bin/python
}

# The tests that were skipped, as an ending of the last line; nothing where none was.
skipped_tests() {
    local names
    names=$(sed -nE 's/^[^ ]+ Test (.*) skipped.*/\1/p' "$log" | paste -s -d ' ' -)
    [ -z "$names" ] || echo " $(wc -w <<<"$names") skipped: $names"
}

# The ten tests that took longest, as the runner reported them. Awk reads to the end: under pipefail a
# `head` that leaves early would end a long `sort` by a signal, and the whole run with it.
print_slowest_tests() {
    grep -v '^[^ ]* Test run' "$log" |
        sed -nE 's/^[^ ]+ Test (.*) passed after ([0-9.]+) seconds.*/\2 s  \1/p' |
        LC_ALL=C sort -rn |
        LC_ALL=C awk 'NR <= 10 { $1 = sprintf("%8.1f", $1); sub(" s ", " s  "); print }'
}

step "setup" Tools/setup/setup.sh
step "setup's own tests" python3 Tools/setup/test_libtorch.py --quiet
step "format" swift format lint --strict --parallel --recursive Package.swift Sources Tests \
    Benchmarks/Package.swift Benchmarks/Sources
step "imports" Tools/check-imports.sh
step "generated bindings" check_bindings
step "build" swift build -c release --build-tests -j "$jobs"
step "TensorBoard's reader" provide_tensorboard
step "tests" run_tests

verdict=$(grep -E '^[^ ]+ Test run with [0-9]+ tests?' "$log" | tail -n 1)
if ! grep -qE 'run with [1-9][0-9]* tests?.* passed after' <<<"$verdict"; then
    echo "test: no passing run of at least one test was reported: ${verdict:-nothing}" >&2
    exit 1
fi
echo "== steps"
print_steps | LC_ALL=C sort -rn
echo "== slowest tests"
print_slowest_tests
echo "$verdict$(skipped_tests)"
