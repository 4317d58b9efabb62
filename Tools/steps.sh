# Sourced by the scripts that run several steps: times each and remembers them.

step_times=()
last_step_time=

# step NAME COMMAND...: runs a command under a heading; its failure ends the script (set -e).
step() {
    local name=$1 start
    start=$(now)
    shift
    echo "== $name"
    "$@"
    last_step_time=$(elapsed_since "$start")
    step_times+=("$last_step_time s  $name")
}

# now: the time in seconds. An old bash, like that of macOS, knows whole seconds only; a new one
# takes the decimal separator of the locale.
now() {
    local time=${EPOCHREALTIME:-$(date +%s)}
    echo "${time/,/.}"
}

# elapsed_since START: the seconds since now was START, with one decimal.
elapsed_since() {
    LC_ALL=C awk -v from="$1" -v to="$(now)" 'BEGIN { printf "%8.1f", to - from }'
}

# print_steps: the steps that have run, each with its time.
print_steps() {
    printf '%s\n' "${step_times[@]}"
}
