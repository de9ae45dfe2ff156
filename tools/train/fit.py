# SPDX-License-Identifier: BSD-3-Clause
"""Which grams count, and what they weigh: logistic regression on presence, no weight below zero, L1, an intercept for each
compiler generation (so that no gram earns weight by telling compilers apart). Plain floats in a fixed order: the same input gives the
same weights."""
import collections
import math

OPTIONS = {
    'most_benign': 0.10,   # share of the negatives that may have a gram: large codes have all the common ones
    'most_stratum': 0.30,  # and of those of one compiler generation
    'least_attack': 0.05,  # share of the attacks that must have it
    'families': 3, 'providers': 5,
    'even': 0.10,          # its share in the attacks by compiler settings: the least over the greatest
    'candidates': 600,
    'l1': 0.0001, 'steps': 120,
    'hard': 3.0,           # weight of a hard negative; of other negatives 1
}


def rates(rows, key):
    """{value of key: (rows, {gram: rows that have it})}"""
    out = {}
    for r in rows:
        n, c = out.setdefault(key(r), [0, collections.Counter()])
        c.update(r['grams'])
        out[key(r)][0] = n + 1
    return out


def spread(groups, gram, least_rows=12):
    shares = [c[gram] / n for n, c in groups.values() if n >= least_rows]
    return min(shares) / max(shares) if shares and max(shares) > 0 else 0.0


def candidates(rows, o):
    attacks = [r for r in rows if r['y']]
    benign = [r for r in rows if not r['y']]
    n_a, have_a = rates(attacks, lambda r: 0)[0]
    n_b, have_b = rates(benign, lambda r: 0)[0]
    by_stratum = rates(benign, lambda r: r['stratum'])
    by_setting = rates(attacks, lambda r: r['setting'] == 'False')
    by_version = rates(attacks, lambda r: r['version'] >= (0, 8, 0))
    families, providers = collections.defaultdict(set), collections.defaultdict(set)
    for r in attacks:
        for g in r['grams']:
            families[g].add(r['family'])
            providers[g].add(r['provider'])
    found = []
    for g in sorted(have_a):
        a, b = have_a[g] / n_a, have_b[g] / n_b
        if a < o['least_attack'] or b > o['most_benign'] or len(families[g]) < o['families'] or len(providers[g]) < o['providers']:
            continue
        if any(n >= 30 and c[g] / n > o['most_stratum'] for n, c in by_stratum.values()):
            continue
        if spread(by_setting, g) < o['even'] or spread(by_version, g) < o['even']:
            continue
        found.append((-(a - b) / math.sqrt(b + 0.002), g))
    return sorted(g for _, g in sorted(found)[:o['candidates']])


def row_weights(rows, o):
    """Both labels the same; among the attacks every source, among the negatives every package by the root of its size."""
    sources = collections.Counter(r['source'] for r in rows if r['y'])
    packages = collections.Counter(r['package'] for r in rows if not r['y'])
    w = [1 / sources[r['source']] if r['y'] else (o['hard'] if r['corpus'] == 'hard' else 1.0) / math.sqrt(packages[r['package']]) for r in rows]
    total = {y: math.fsum(x for x, r in zip(w, rows) if r['y'] == y) for y in (0, 1)}
    return [0.5 * x / total[r['y']] for x, r in zip(w, rows)]


def merged(rows, weights, cols):
    """Rows that look the same are one."""
    at = {g: i for i, g in enumerate(cols)}
    strata = sorted({r['stratum'] for r in rows})
    out = {}
    for r, w in zip(rows, weights):
        key = (tuple(at[g] for g in r['grams'] if g in at), r['y'], strata.index(r['stratum']))
        out[key] = out.get(key, 0.0) + w
    return [(x, y, s, w) for (x, y, s), w in out.items()], strata


def sigmoid(z):
    return 1 / (1 + math.exp(-z)) if z >= 0 else 1 - 1 / (1 + math.exp(z))


def gradient(data, w, b, n, n_strata):
    g, gb = [0.0] * n, [0.0] * n_strata
    for x, y, s, weight in data:
        z = b[s]
        for i in x:
            z += w[i]
        d = weight * (sigmoid(z) - y)
        gb[s] += d
        for i in x:
            g[i] += d
    return g, gb


def fit(rows, o=OPTIONS):
    """{gram: weight > 0}: accelerated projected gradient, a step for each column by a bound of its curvature."""
    cols = candidates(rows, o)
    data, strata = merged(rows, row_weights(rows, o), cols)
    n = len(cols)
    curve, curve_b = [1e-9] * n, [1e-9] * len(strata)
    for x, _, s, weight in data:
        c = 0.25 * weight * (len(x) + 1)
        curve_b[s] += c
        for i in x:
            curve[i] += c
    w, b, pw, pb, t = [0.0] * n, [0.0] * len(strata), [0.0] * n, [0.0] * len(strata), 1.0
    for _ in range(o['steps']):
        t2 = (1 + math.sqrt(1 + 4 * t * t)) / 2
        m = (t - 1) / t2
        yw = [a + m * (a - p) for a, p in zip(w, pw)]
        yb = [a + m * (a - p) for a, p in zip(b, pb)]
        g, gb = gradient(data, yw, yb, n, len(strata))
        pw, pb, t = w, b, t2
        w = [max(0.0, a - (d + o['l1']) / c) for a, d, c in zip(yw, g, curve)]
        b = [a - d / c for a, d, c in zip(yb, gb, curve_b)]
    return {g: x for g, x in zip(cols, w) if x > 0.02}


def total(weights, row):
    return math.fsum(weights.get(g, 0.0) for g in row['grams'])
