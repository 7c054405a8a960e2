# Sourced by the scripts beside it: one line when a phase begins, one when it ends, with its time.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=${CARGO_TARGET_DIR:-target}

# phase NAME COMMAND...: runs a command; where it fails, says which phase that was and stops.
phase() {
    local name=$1 begin=$SECONDS code=0
    shift
    printf '==> %s\n' "$name"
    "$@" || code=$?
    if [ "$code" -ne 0 ]; then
        printf '==> %s: failed with %s after %s s\n' "$name" "$code" "$((SECONDS - begin))" >&2
        exit "$code"
    fi
    printf '    %s: done in %s s\n' "$name" "$((SECONDS - begin))"
}
