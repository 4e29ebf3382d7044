#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Measures what docs/benchmarks.md shows, on a machine that has nothing else to do, and writes bench/*.json; then run ./dev docs.
#
#     bench/measure.sh                        everything but accountants and parity: 26 minutes on two cores
#     bench/measure.sh results scaling        these alone
#     ROUNDS=3 bench/measure.sh               of each at most so many rounds, 21 minutes; 1 is a rehearsal
#
# Minutes: results 3, zoo 13, sweep 2, memory 6, scaling, poisson and peers 1 together; accountants 5, parity 8.
#
# BUILD is the build folder (build/release), PYTHON the interpreter (.venv/bin/python); peers needs opacus 1.6, accountants dp_accounting
# too, parity MNIST in DATA. A file is replaced when its measurement is complete.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
BUILD=${BUILD:-build/release} PYTHON=${PYTHON:-.venv/bin/python} DATA=${DATA:-../shared/data/mnist}
export PYTHONPATH=$BUILD/python OMP_NUM_THREADS=1

commit=$("$PYTHON" bench/header.py)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

rounds() { echo "${ROUNDS:-$1}"; }

bench() { "$BUILD/bin/ghostgrad" bench --json --commit "$commit" "$@"; }

one_report() {  # of one or several: the head of the first, the rows of all, a line each
  "$PYTHON" - "$@" <<'PYTHON'
import json, sys
reports = [json.load(open(path, encoding="utf-8")) for path in sys.argv[1:]]
head = {key: value for key, value in reports[0].items() if key != "rows"}
rows = [row for report in reports for row in report["rows"]]
print(json.dumps(head, indent=1)[:-2] + ',\n "rows": [\n  ' + ",\n  ".join(map(json.dumps, rows)) + "\n ]\n}")
PYTHON
}

results() { bench --check --rounds "$(rounds 9)" --seconds 6; }

zoo() {
  bench --rounds "$(rounds 7)" --seconds 4 >"$work/small" \
    --model mlp_128_256 cnn_20_50 rnn lstm gru transformer_200 gpt2_tiny roberta_tiny
  bench --rounds "$(rounds 5)" --seconds 4 >"$work/large" --model resnet18 resnet34 resnet50 vgg11 vgg19 vit_tiny beit_tiny
  bench --rounds "$(rounds 3)" --seconds 4 >"$work/base" --model vit_base
  bench --rounds "$(rounds 3)" --seconds 4 --batch 2 --positions 128 >"$work/language" --model gpt2_small
  bench --rounds "$(rounds 3)" --seconds 4 --batch 2 --positions 128 >"$work/medium" --model gpt2_medium \
    --method ghost bk bk_mixed_opt auto  # all of them keep more than 24 GiB
  one_report "$work"/{small,large,base,language,medium}
}

sweep() {
  bench --rounds "$(rounds 5)" --seconds 4 --model mlp deep_cnn gpt2_tiny --batch 8 32 128 --threads 1 2 \
    --method per_example mixed_ghost bk auto
}

memory() {
  bench --memory-cap 512 --limit 64 --model vgg19 vit_tiny gpt >"$work/most" \
    --method naive per_example reweight ghost mixed_ghost bk bk_mixed_ghost bk_mixed_opt auto
  bench --memory-cap 512 --limit 8 --model vgg19 vit_tiny gpt --method multi_loss >"$work/quadratic"
  "$PYTHON" - "$work/quadratic" <<'PYTHON'  # its own baseline was limited to 8: that of the other search stands
import json, sys
report = json.load(open(sys.argv[1], encoding="utf-8"))
report["rows"] = [row for row in report["rows"] if row["method"] != "non_private"]
json.dump(report, open(sys.argv[1], "w", encoding="utf-8"))
PYTHON
  one_report "$work"/{most,quadratic}
}

poisson() { "$PYTHON" bench/poisson.py --rounds "$(rounds 3)"; }
scaling() { "$PYTHON" bench/scaling.py --rounds "$(rounds 25)"; }
peers() { "$PYTHON" bench/peers.py --rounds "$(rounds 15)"; }
accountants() { "$PYTHON" bench/accountants.py --program "$BUILD/bin/ghostgrad" --rounds "$(rounds 3)" --limit 100 --json; }
parity() { "$PYTHON" bench/parity.py --data "$DATA"; }

names=("$@")
[ $# -gt 0 ] || names=(results zoo sweep memory poisson scaling peers)
for name in "${names[@]}"; do
  [[ $name =~ ^(results|zoo|sweep|memory|poisson|scaling|peers|accountants|parity)$ ]] || { echo "measure: no '$name'" >&2; exit 2; }
  started=$SECONDS
  "$name" >"$work/report" 2>"$work/notes" || { cat "$work/notes" >&2; exit 1; }
  one_report "$work/report" >"$work/compact"
  cp "$work/compact" "bench/$name.json"
  echo "$name: $((SECONDS - started)) s" >&2
done
