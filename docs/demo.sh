#!/bin/sh
# The whole way once: data, search, front, report, exported winner, one retraining. Everything lands in ./demo.
set -eu
mkdir -p demo
cd demo
test -f data/movielens-100k/schema.json || automl data prepare movielens-100k --out data/movielens-100k
rm -f automl.db automl.db-* movielens.yaml winner.yaml report.html
automl init movielens
automl search movielens.yaml --trials 40
automl front movielens
automl report movielens --out report.html
automl export movielens --best --to config --out winner.yaml
automl train winner.yaml --data data/movielens-100k --seeds 1
echo
echo "Report: demo/report.html    Trials in MLflow: cd demo && ../.venv/bin/automl ui"
