# Sourced by the scripts that run several steps: times each and remembers them.

step_times=()

# step NAME COMMAND...: runs a command under a heading; its failure ends the script (set -e).
step() {
    local name=$1 start=$EPOCHREALTIME
    shift
    echo "== $name"
    "$@"
    step_times+=("$(elapsed_since "$start") s  $name")
}

# elapsed_since START: the seconds since $EPOCHREALTIME was START, with one decimal.
# That variable takes the decimal separator of the locale.
elapsed_since() {
    awk -v from="${1/,/.}" -v to="${EPOCHREALTIME/,/.}" 'BEGIN { printf "%8.1f", to - from }'
}

# print_steps: the steps that have run, each with its time.
print_steps() {
    printf '%s\n' "${step_times[@]}"
}
