#!/usr/bin/env bash
# Keeps the newest copies of a file and removes the others.
set -euo pipefail

keep=${KEEP:-5}

rotate() {
  local file="$1"
  local number="$keep"
  while [ "$number" -gt 1 ]; do
    local before=$((number - 1))
    if [ -e "$file.$before" ]; then
      mv "$file.$before" "$file.$number"
    fi
    number="$before"
  done
  cp "$file" "$file.1"
}

main() {
  for file in "$@"; do
    rotate "$file"
    echo "rotated $file"
  done
}

case "${1:-}" in
  -h) echo "usage: $0 FILE..." ;;
  *) main "$@" ;;
esac
