# Sourced by setup.sh and dist.sh: installs Debian packages, where the machine has apt.

# apt_install REASON PACKAGE...: installs the packages, or says how a person can.
apt_install() {
    local reason=$1 become=()
    shift
    if ! command -v apt-get >/dev/null; then
        echo "setup: $reason; install what Debian calls: $*" >&2
        return 1
    fi
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "setup: $reason, and there is no sudo; as root: apt-get install $*" >&2
            return 1
        fi
        become=(sudo)
        # Without a terminal nobody can type a password.
        if ! [ -t 0 ] && ! sudo -n true 2>/dev/null; then
            echo "setup: $reason, and sudo wants a password; run: sudo apt-get install $*" >&2
            return 1
        fi
    fi
    local apt=("${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q
        -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
    echo "setup: $reason; installing $*"
    # The package lists may be absent or old; only then are they worth fetching.
    "${apt[@]}" install --no-install-recommends "$@" && return
    "${apt[@]}" update
    "${apt[@]}" install --no-install-recommends "$@"
}
