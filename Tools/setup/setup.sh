#!/usr/bin/env bash
# Installs what the build needs and is missing: system packages and libtorch.
# DEVICE=cuda adds the CUDA libraries, VERIFY=1 compares the SHA-256 of every installed file,
# TORCH_HOME names a libtorch that is there already.
set -euo pipefail
cd "$(dirname "$0")/../.."
. Tools/setup/packages.sh

minimum_swift=6.2
ffmpeg_libraries=(libavformat libavcodec libavfilter libswscale libavutil)

fail() {
    echo "setup: $*" >&2
    exit 1
}

check_swift() {
    local advice="install Swift from https://www.swift.org/install and put it on the PATH"
    command -v swift >/dev/null || fail "there is no swift command; $advice"
    local answer version
    if ! answer=$(swift --version 2>/dev/null); then
        # A toolchain that was just unpacked may lack the libraries that it is linked against.
        [ "$(uname)" = Linux ] && apt_install "the swift command does not start" binutils \
            libcurl4-openssl-dev libedit2 libncurses6 libsqlite3-0 libxml2 tzdata zlib1g-dev
        answer=$(swift --version 2>&1) || fail "swift does not start: $answer"
    fi
    version=$(sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p' <<<"$answer" | sed -n 1p)
    local oldest
    oldest=$(printf '%s\n' "$minimum_swift" "$version" | sort -V | sed -n 1p)
    [ "$oldest" = "$minimum_swift" ] ||
        fail "Swift ${version:-?} is too old, $minimum_swift is the oldest that will do; $advice"
}

# Prints the Debian packages whose programs, headers or libraries are missing.
missing_packages() {
    local command library
    for command in g++ git pkg-config; do
        command -v "$command" >/dev/null || echo "$command"
    done
    for library in "${ffmpeg_libraries[@]}"; do
        pkg-config --exists "$library" 2>/dev/null || echo "$library-dev"
    done
    # Swift's C++ compiler takes the newest GCC folder, whether or not its headers came with it.
    local newest
    newest=$(ls "/usr/lib/gcc/$(uname -m)-linux-gnu" 2>/dev/null | sort -V | tail -n 1)
    if [ -n "$newest" ] && [ ! -d "/usr/include/c++/$newest" ]; then
        echo "libstdc++-$newest-dev"
    fi
}

install_packages() {
    local missing
    if [ "$(uname)" = Darwin ]; then
        pkg-config --exists "${ffmpeg_libraries[@]}" 2>/dev/null ||
            fail "FFmpeg's libraries are missing; run: brew install ffmpeg pkgconf"
        return
    fi
    # Installing a compiler can bring in a newer GCC folder, hence a second look.
    for _ in 1 2; do
        missing=$(missing_packages)
        [ -n "$missing" ] || return 0
        # shellcheck disable=SC2086
        apt_install "some packages are missing" $missing
    done
    missing=$(missing_packages)
    [ -z "$missing" ] || fail "still missing after the installation:" $missing
}

install_libtorch() {
    case ${DEVICE:-cpu} in
        cpu|cuda) ;;
        *) fail "DEVICE is $DEVICE; it can be cpu or cuda" ;;
    esac
    command -v python3 >/dev/null ||
        apt_install "python3 is missing" python3 python3-pip || fail "python3 is needed"
    local options=(--device "${DEVICE:-cpu}") status=0
    [ -z "${VERIFY:-}" ] || options+=(--verify)
    python3 Tools/setup/libtorch.py "${options[@]}" || status=$?
    if [ $status = 3 ]; then
        apt_install "pip is missing" python3-pip
        status=0
        python3 Tools/setup/libtorch.py "${options[@]}" || status=$?
    fi
    return $status
}

check_swift
install_packages
install_libtorch
