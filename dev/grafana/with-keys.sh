#!/bin/sh
# Runs a command, such as Grafana's /run.sh, with the keys of JWKS_URL in JWKS_FILE, and anew
# whenever the keys have become others: Grafana reads the file at its start only, and takes keys
# from a URL only when that is https or app_mode is development.
#
# Starts when the keys are there. While they cannot be fetched later, the old ones stay.
set -u

url=${JWKS_URL:?}
file=${JWKS_FILE:?}
pause=${JWKS_PAUSE:-5}
child=
waiting=

say() {
  echo "with-keys: $*" >&2
}

# The key ids in a file. Their order means nothing, and a file without any is no key set.
key_ids() {
  grep -o '"kid" *: *"[^"]*"' "$1" | sort
}

fetch_keys() {
  curl -sf --max-time 5 -o "$file.new" "$url" && [ -n "$(key_ids "$file.new")" ]
}

# Signals interrupt `wait`, not `sleep`.
rest() {
  sleep "$pause" &
  waiting=$!
  wait "$waiting"
}

end_child() {
  [ -z "$child" ] || kill -TERM "$child" 2>/dev/null
  wait "$child" 2>/dev/null
}

stop() {
  trap - TERM INT
  [ -z "$waiting" ] || kill "$waiting" 2>/dev/null
  end_child
  exit 0
}

trap stop TERM INT

say "waiting for $url"
until fetch_keys; do rest; done

while :; do
  mv "$file.new" "$file"
  say "starting with $(key_ids "$file" | wc -l) keys"
  "$@" &
  child=$!
  while :; do
    rest
    if ! kill -0 "$child" 2>/dev/null; then
      wait "$child"
      status=$?
      say "ended with $status"
      exit "$status"
    fi
    if fetch_keys && [ "$(key_ids "$file.new")" != "$(key_ids "$file")" ]; then break; fi
  done
  say "the keys have changed"
  end_child
done
