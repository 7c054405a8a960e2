#!/bin/sh
# Screenshots of every place over the neighbourhood in memory, into shots/ (ignored). Needs `npm run build` and chromium.
# usage: shots.sh [-l LANGUAGE] [PLACE...]
set -eu
cd "$(dirname "$0")/.."
language=de-DE
if [ "${1:-}" = -l ]; then language=$2; shift 2; fi
mkdir -p shots
python3 -m http.server 5199 --bind 127.0.0.1 --directory dist >/dev/null 2>&1 & server=$!
trap 'kill $server' EXIT
sleep 1
shot() { # name, width, height, query, place. Chromium's window is never narrower than 500: a frame is.
  page="http://127.0.0.1:5199/?$4#/$5"
  if [ "$2" -lt 500 ]; then
    printf '<body style="margin:0"><iframe src="%s" style="border:0;width:%spx;height:%spx"></iframe>' "$page" "$2" "$3" > dist/frame.html
    page=http://127.0.0.1:5199/frame.html
  fi
  chromium --headless --no-sandbox --hide-scrollbars --lang="$language" --accept-lang="$language" --virtual-time-budget=4000 --window-size="$2,$3" \
    --screenshot="shots/$1.png" "$page" >/dev/null 2>&1
  rm -f dist/frame.html
}
for place in ${*:-today ideas ideas/03 ideas/new decisions decisions/e1 decisions/e4 tasks people settings}; do
  name=$(echo "$place" | tr / -)
  for theme in ${THEMES:-light dark}; do
    shot "$name-wide-$theme" 1280 900 "demo&theme=$theme" "$place"
    shot "$name-narrow-$theme" 390 844 "demo&theme=$theme" "$place"
  done
done
for door in new locked empty; do
  shot "welcome-$door-wide" 1280 900 "demo=$door&theme=light" today
  shot "welcome-$door-narrow" 390 844 "demo=$door&theme=dark" today
done
