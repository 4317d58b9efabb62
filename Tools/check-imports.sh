#!/usr/bin/env bash
# Holds the targets to the direction that ARCHITECTURE.md gives: who may import whom.
set -euo pipefail
cd "$(dirname "$0")/.."

# Target: what it may import of ours. A line that ends in a backslash goes on in the next.
rules='
Torch: CTorch
TorchNN: Torch
TorchOptim: Torch TorchNN
TorchDistributed: CTorch Torch
Checkpoints: Torch TorchNN
Tokenizers:
Media: CMedia
FramePackMetrics:
ToyWorld: FramePackMetrics
Models: Torch TorchNN
FramePack: Torch TorchNN Models Checkpoints Tokenizers Media
FramePackTraining: FramePack Torch TorchNN TorchOptim TorchDistributed Models Checkpoints Tokenizers \
  Media ToyWorld FramePackMetrics
FramePackBench: FramePack Torch TorchNN Models Checkpoints
FramePackCLI: FramePack FramePackTraining FramePackBench Torch TorchNN TorchOptim TorchDistributed Models Checkpoints \
  Tokenizers Media ToyWorld FramePackMetrics ArgumentParser
'
restricted=" CTorch CMedia CFFmpeg FFmpeg Torch TorchNN TorchOptim TorchDistributed Checkpoints \
Tokenizers Media ToyWorld FramePackMetrics Models FramePack FramePackTraining FramePackBench FramePackCLI \
TestSupport ArgumentParser "
# Below the pipeline everything is synchronous: a caller's callback throws to cancel.
synchronous=" Torch TorchNN TorchOptim TorchDistributed Models Checkpoints Tokenizers Media ToyWorld \
FramePackMetrics "
concurrency='(^|[^A-Za-z`.])'
concurrency+='((async|await)[[:space:]]|actor[[:space:]]+[A-Z]|Task([.({<]|[[:space:]]*\{))'
import_line='^[[:space:]]*((@[A-Za-z_]+(\([^)]*\))?|public|package|internal|fileprivate|private)'
import_line+='[[:space:]]+)*import[[:space:]]'
status=0

complain() {
    echo "imports: $*" >&2
    status=1
}

# Prints "FILE:LINE MODULE" for each import in a folder.
imports_of() {
    grep -rnE --include='*.swift' "$import_line" "$1" | while IFS= read -r hit; do
        local words=${hit##*import }
        words=${words#@(struct|class|enum|protocol|func|var|let|typealias) }
        words=${words%%[./ ]*}
        local line=${hit#*:}
        echo "${hit%%:*}:${line%%:*} $words"
    done || true
}

shopt -s extglob
while IFS=: read target allowed; do
    [ -n "$target" ] || continue
    if [ ! -d "Sources/$target" ]; then
        complain "Sources/$target is in the rules and not there"
        continue
    fi
    while read -r place module; do
        [ -n "$place" ] || continue
        case "$restricted" in *" $module "*) ;; *) continue ;; esac
        case " $allowed " in
            *" $module "*) ;;
            *) complain "$place: $target may not import $module" ;;
        esac
    done < <(imports_of "Sources/$target")
    case "$synchronous" in
        *" $target "*)
            hits=$(grep -rnE --include='*.swift' "$concurrency" "Sources/$target" |
                grep -vE '^[^:]+:[0-9]+:[[:space:]]*//' || true)
            [ -z "$hits" ] || complain "$target is synchronous: $hits"
            ;;
    esac
done <<<"$rules"

for folder in Sources/*/; do
    target=$(basename "$folder")
    compgen -G "$folder*.swift" >/dev/null || continue
    grep -q "^$target:" <<<"$rules" || complain "Sources/$target has no rule in this script"
done

headers=$(grep -rnE '#[[:space:]]*(include|import)[[:space:]]*[<"](ATen|torch|c10)/' Sources |
    grep -v '^Sources/CTorch/' || true)
[ -z "$headers" ] || complain "only CTorch includes libtorch: $headers"
media=$(grep -rnE '#[[:space:]]*include[[:space:]]*[<"]lib(av|sw)' Sources |
    grep -vE '^Sources/(CFFmpeg|FFmpeg)/' || true)
[ -z "$media" ] || complain "only CFFmpeg includes FFmpeg: $media"
testable=$(grep -rnE --include='*.swift' '^[[:space:]]*@testable' Sources Tests || true)
[ -z "$testable" ] || complain "tests use the public and package interface: $testable"
exit $status
