#!/bin/sh
# Evaluates the trials of a study until none is left: sh ask_tell.sh STUDY STORAGE
# May run several times at once, on any machine that sees the store. Where it was killed between ask and tell, the trial
# stays RUNNING in `automl trials STUDY`: evaluate it and tell, or give it up with `automl tell STUDY N --failure crashed`.
set -u
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
while :; do
  automl ask "$1" --storage "$2" >"$folder/asked.json"
  code=$?
  [ "$code" -eq 3 ] && exit 0 # the budget is spent
  [ "$code" -eq 0 ] || exit "$code"
  number=$(sed -n 's/^  "number": \([0-9]*\),$/\1/p' "$folder/asked.json")
  rm -f "$folder/metrics.json"
  if .venv/bin/python train.py "$folder/asked.json" "$folder/metrics.json"; then
    automl tell "$1" "$number" --storage "$2" --metrics "$folder/metrics.json" || exit $?
  else
    automl tell "$1" "$number" --storage "$2" --failure crashed --reason "train.py ended with an error" || exit $?
  fi
done
