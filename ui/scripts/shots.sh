#!/bin/sh
# Screenshots of every place over the neighbourhood in memory, into shots/ (ignored). Needs `npm run build` and chromium.
set -eu
cd "$(dirname "$0")/.."
mkdir -p shots
python3 -m http.server 5199 --bind 127.0.0.1 --directory dist >/dev/null 2>&1 & server=$!
trap 'kill $server' EXIT
sleep 1
shot() { # name, size, query, place
  chromium --headless --no-sandbox --hide-scrollbars --virtual-time-budget=4000 --window-size="$2" \
    --screenshot="shots/$1.png" "http://127.0.0.1:5199/?$3#/$4" >/dev/null 2>&1
}
for place in ${*:-today ideas ideas/03 ideas/new decisions decisions/e1 decisions/e4 tasks people settings}; do
  name=$(echo "$place" | tr / -)
  for theme in light dark; do
    shot "$name-wide-$theme" 1280,900 "demo&theme=$theme" "$place"
    shot "$name-narrow-$theme" 500,900 "demo&theme=$theme" "$place"
  done
done
for door in new locked empty; do
  shot "welcome-$door-wide" 1280,900 "demo=$door&theme=light" today
  shot "welcome-$door-narrow" 500,900 "demo=$door&theme=dark" today
done
