#!/usr/bin/env bash
# Makes dist/framepack-VERSION-linux-MACHINE: a folder that runs on another machine of the same
# release with nothing installed. It holds the program with the Swift runtime inside, libtorch's
# CPU libraries, FFmpeg's, and all that these need except the C library.
set -euo pipefail
cd "$(dirname "$0")/.."
. Tools/steps.sh
. Tools/setup/packages.sh

[ "$(uname)" = Linux ] || { echo "dist: this packs for Linux only" >&2; exit 1; }
build=.build/dist
swift_build=(swift build -c release --static-swift-stdlib --scratch-path "$build" -j "${JOBS:-2}")

# The C library and its loader have to be those of the machine that the program runs on.
is_system_library() {
    case $1 in
        linux-vdso.so.*|ld-linux*|libc.so.*|libm.so.*|libmvec.so.*|libdl.so.*|libpthread.so.*) ;;
        librt.so.*|libresolv.so.*|libutil.so.*|libanl.so.*|libnss_*) ;;
        *) return 1 ;;
    esac
}

# needs FILE...: "NAME PATH" of every library that the files need, whatever the depth.
needs() {
    ldd "$@" | awk '$2 == "=>" { print $1, $3 == "not" ? "missing" : $3 }' | sort -u
}

build_programs() {
    "${swift_build[@]}" --product framepack
    "${swift_build[@]}" --product FramePackMedia
}

# The version is the program's own; a program that does not tell is named after its commit.
version() {
    local answer
    answer=$("$build/release/framepack" --version 2>/dev/null | tail -n 1 || true)
    if [[ $answer =~ ([0-9]+\.[0-9]+\.[0-9]+[0-9A-Za-z.+-]*) ]]; then
        echo "${BASH_REMATCH[1]}"
    else
        git describe --always --dirty
    fi
}

# Copies every library that the files need beside them, and has each find the others there.
copy_libraries() {
    local name path
    while read -r name path; do
        is_system_library "$name" && continue
        [ "$path" != missing ] || { echo "dist: $name is missing on this machine" >&2; exit 1; }
        [ -e "$folder/lib/$name" ] && continue
        install -m 755 "$path" "$folder/lib/$name"
        patchelf --set-rpath '$ORIGIN' "$folder/lib/$name"
    done < <(needs "$@")
}

# The package manager links the Swift runtime into the media library, which is C and needs none.
# Beside a program with that runtime inside it would be a second one: its objects are linked anew.
link_media_library() {
    local libraries
    libraries=$(pkg-config --libs libavformat libavcodec libavfilter libswscale libavutil)
    # shellcheck disable=SC2086
    g++ -shared -o "$1" "@$build/release/FramePackMedia.product/Objects.LinkFileList" \
        -Wl,--as-needed $libraries -Wl,-z,defs
}

pack() {
    folder=dist/framepack-$(version)-linux-$(uname -m)
    rm -rf "$folder"
    mkdir -p "$folder/lib"
    install -m 755 "$build/release/framepack" "$folder/framepack"
    link_media_library "$folder/lib/libFramePackMedia.so"
    copy_libraries "$folder/framepack" "$folder/lib/libFramePackMedia.so"
    strip --strip-unneeded "$folder/framepack" "$folder/lib/libFramePackMedia.so"
    # The older kind of path also serves what the program loads by name at run time.
    patchelf --force-rpath --set-rpath '$ORIGIN/lib' "$folder/framepack"
    patchelf --force-rpath --set-rpath '$ORIGIN' "$folder/lib/libFramePackMedia.so"
    [ ! -d Models ] || cp -R Models "$folder/Models"
    cp LICENSE NOTICE "$folder/"
    mkdir "$folder/licenses"
    copy_licences
}

# The licence texts of what was copied: libtorch's and NVIDIA's from their wheels, the rest from
# the packages that the libraries belong to.
copy_licences() {
    local source package path name
    for source in .libtorch/../*.dist-info/licenses; do
        [ -d "$source" ] || continue
        name=$(basename "$(dirname "$source")" .dist-info)
        mkdir -p "$folder/licenses/$name"
        find -L "$source" -type f -exec cp -t "$folder/licenses/$name" {} +
    done
    command -v dpkg-query >/dev/null || return 0
    while read -r name path; do
        package=$(dpkg-query -S "*/$name" 2>/dev/null | sed -n 1p | cut -d: -f1) || continue
        path=/usr/share/doc/$package/copyright
        [ -e "$path" ] && cp -L "$path" "$folder/licenses/$package.txt"
    done < <(cd "$folder/lib" && printf '%s\n' *)
}

# Every library must come from the folder or be the C library's.
check() {
    local file name path wrong=0
    for file in "$folder/framepack" "$folder"/lib/*; do
        while read -r name path; do
            is_system_library "$name" && continue
            case $path in
                "$PWD/$folder/"*) ;;
                *) echo "dist: $(basename "$file") takes $name from $path" >&2; wrong=1 ;;
            esac
        done < <(env -u LD_LIBRARY_PATH ldd "$PWD/$file" 2>/dev/null |
            awk '$2 == "=>" { print $1, $3 == "not" ? "nowhere" : $3 }')
    done
    [ $wrong = 0 ] || exit 1
}

step "setup" Tools/setup/setup.sh
command -v patchelf >/dev/null || apt_install "patchelf is missing" patchelf
command -v strip >/dev/null || apt_install "strip is missing" binutils
step "build" build_programs
step "pack" pack
step "check" check
echo "== times"
print_steps
size=$(du -sh "$folder" | cut -f1)
echo "The program is $PWD/$folder/framepack ($size with its libraries)"
