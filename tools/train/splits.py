# SPDX-License-Identifier: BSD-3-Clause
"""Who is judged by a model that has not seen its like. A split is a list of (rows to learn from, rows to judge)."""
import collections

FOLDS = 5


def spread(sizes, n):
    """Names into n folds of about the same size."""
    load, fold = [0] * n, {}
    for name in sorted(sizes, key=lambda x: (-sizes[x], x)):
        fold[name] = load.index(min(load))
        load[fold[name]] += sizes[name]
    return fold


def whole_groups(rows, key):
    """Each attack family (or whatever `key` is), and each package by its name without the version, is in one fold."""
    def package(r):
        return r['package'].rsplit('@', 1)[0]
    attacks = spread(collections.Counter(r[key] for r in rows if r['y']), FOLDS)
    packages = spread(collections.Counter(package(r) for r in rows if not r['y']), FOLDS)
    fold = [attacks[r[key]] if r['y'] else packages[package(r)] for r in rows]
    return [([r for r, f in zip(rows, fold) if f != i], [r for r, f in zip(rows, fold) if f == i]) for i in range(FOLDS)]


def by_hand(rows):
    """Attacks whose parts were put together by a generator teach, those written one by one are judged; packages by folds."""
    parts = whole_groups(rows, 'family')
    return [([r for r in learn if not r['y']] + [r for r in rows if r['y'] and r['encoding'] != 'written'],
             [r for r in judge if not r['y']] + ([r for r in rows if r['y'] and r['encoding'] == 'written'] if i == 0 else []))
            for i, (learn, judge) in enumerate(parts)]


def by_time(rows):
    """Older compilers' codes teach, newer ones' are judged: 0.8.20 came in May 2023, and no code is older than its compiler. Codes without
    a version are left out."""
    known = [r for r in rows if r['version'] != (0, 0, 0)]
    return [([r for r in known if r['version'] < (0, 8, 20)], [r for r in known if r['version'] >= (0, 8, 20)])]


SPLITS = {
    'families': lambda rows: whole_groups(rows, 'family'),
    'providers': lambda rows: whole_groups(rows, 'provider'),
    'hand': by_hand,
    'time': by_time,
}
