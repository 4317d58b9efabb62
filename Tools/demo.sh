#!/usr/bin/env bash
# A 5-second video from a picture and a prompt that ship with the project.
# IMAGE, PROMPT and SECONDS_OF_VIDEO choose others.
set -euo pipefail
cd "$(dirname "$0")/.."
. Tools/steps.sh

image=${IMAGE:-Examples/red-circle.png}
prompt=${PROMPT:-$(cat Examples/red-circle.txt)}
seconds=${SECONDS_OF_VIDEO:-5}
output=output/demo.mp4

generate() {
    mkdir -p "$(dirname "$output")"
    .build/release/framepack generate --image "$image" --prompt "$prompt" --seconds "$seconds" \
        --output "$output"
}

step "setup (packages and libtorch)" Tools/setup/setup.sh
step "build" swift build -c release -j "${JOBS:-2}"
step "generation" generate

echo "== times"
print_steps
# The command rounds to whole sections; the plan says how many frames they are.
frames=$(.build/release/framepack plan --image "$image" --seconds "$seconds" --json |
    sed -n 's/^  "frames" : \([0-9]*\).*/\1/p')
echo "$last_step_time" | LC_ALL=C awk -v frames="$frames" \
    '{ printf "%8.3f s  a frame of the video (%d frames)\n", $1 / frames, frames }'
echo "The video is $PWD/$output"
