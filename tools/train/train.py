#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""usage: train.py CORPUS CODE_FEATURES [--weights FILE] [--templates FILE] [--scores FILE] [--quick]
Makes the weights of the learned score and the hashes of published artifacts from a corpus folder (tests/corpus/build.sh makes one) and
what the reader of code says (the program code_features). Prints how the model judges codes whose like it has not seen: whole attack families,
providers and packages at a time, attacks written by hand after generated ones, newer codes after older ones. --quick leaves that out, and
so the limit: it is for trying. --scores: JSON lines of each code's score by a model that had not seen its family or package.
The same corpus and program give the same bytes."""
import argparse
import json
import multiprocessing
import os
import sys

import corpus
import fit
import report
import scores
import splits
import templates

ROWS = []


def judge(job):
    """Sums of the judged rows, in integers as the dataplane adds them."""
    name, i = job
    learn, rows = splits.SPLITS[name](ROWS)[i]
    whole = scores.integers(fit.fit([r for r in learn if not r['cut']]))
    return name, [(r['index'], scores.sum_of(whole, r)) for r in rows]


def out_of_fold(pool):
    jobs = [(name, i) for name in sorted(splits.SPLITS) for i in range(len(splits.SPLITS[name](ROWS)))]
    sums = {name: {} for name in splits.SPLITS}
    for name, judged in pool.imap(judge, jobs):
        sums[name].update(judged)
    return sums


def limit_of(sums):
    """The sum up to which a code does not page: over it may be one in a thousand of the benign codes of packages without templates, whichever
    folds one believes. Codes that are too much to read have all grams: they page whatever the weights are, and use the allowance up."""
    rest = [r for r in ROWS if not r['y'] and r['list'] == 'rest']
    left = max(0, len(rest) // 1000 - sum(r['cut'] for r in rest))
    return max(sorted((sums[name][r['index']] for r in rest if not r['cut']), reverse=True)[left] for name in ('families', 'providers'))


def main():
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument('corpus')
    ask.add_argument('features')
    for name in ('--weights', '--templates', '--scores'):
        ask.add_argument(name)
    ask.add_argument('--quick', action='store_true')
    o = ask.parse_args()
    ROWS.extend(corpus.load(o.corpus, o.features))
    for i, r in enumerate(ROWS):
        r['index'] = i
    if o.templates:
        templates.write(o.templates, ROWS)
    with multiprocessing.get_context('fork').Pool(max(1, os.cpu_count() or 1)) as pool:
        final = pool.apply_async(fit.fit, ([r for r in ROWS if not r['cut']],))
        sums = {} if o.quick else out_of_fold(pool)
        whole = scores.integers(final.get())
    if o.quick:
        print('%d weights' % len(whole))
        return 0
    bias = scores.bias_for(limit_of(sums))
    lines = report.lines(ROWS, sums, whole, bias)
    print('\n'.join(lines))
    if o.weights:
        scores.write(o.weights, whole, bias, report.header(lines))
    if o.scores:
        with open(o.scores, 'w', encoding='utf-8') as f:
            for r in ROWS:
                learned = {name: scores.score(s[r['index']] + bias) for name, s in sorted(sums.items()) if r['index'] in s}
                f.write(json.dumps({'id': r['id'], 'corpus': r['corpus'], 'label': r['label'], 'learned': learned,
                                    'final': scores.score(scores.sum_of(whole, r) + bias)}) + '\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
