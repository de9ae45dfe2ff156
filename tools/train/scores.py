# SPDX-License-Identifier: BSD-3-Clause
"""The score that the dataplane makes of integer weights (dataplane/detect/model.c), and the file of them (rules/set.h)."""
import corpus

STEPS, KNOT = 256, 128
KNOTS = (0, 1, 1, 2, 2, 4, 7, 11, 18, 29, 47, 76, 119, 182, 269, 378, 500, 622, 731, 818, 881, 924, 953, 971, 982, 989, 993, 996, 998, 998,
         999, 999, 1000)
SCALE = 100
THRESHOLD = 900


def score(total):
    x = abs(total) * STEPS // SCALE * (1 if total >= 0 else -1)  # C divides towards zero
    if x <= -8 * STEPS:
        return 0
    if x >= 8 * STEPS:
        return KNOTS[-1]
    i, rest = divmod(x + 8 * STEPS, KNOT)
    return KNOTS[i] + (KNOTS[i + 1] - KNOTS[i]) * rest // KNOT


def integers(weights):
    return {g: min(32767, round(SCALE * w)) for g, w in weights.items() if round(SCALE * w) > 0}


def bias_for(limit):
    """The greatest bias with which a sum of weights `limit` stays below the threshold."""
    bias = -limit + 8 * SCALE
    while score(limit + bias) >= THRESHOLD:
        bias -= 1
    return bias


def sum_of(whole, row):
    return sum(whole.values()) if row['cut'] else sum(whole.get(g, 0) for g in row['grams'])


def write(path, whole, bias, comments):
    with open(path, 'w', encoding='utf-8') as f:
        f.write('# SPDX-License-Identifier: BSD-3-Clause\n')
        f.writelines('#%s\n' % (' ' + c if c else '') for c in comments)
        f.write('model 1\ngrams %d\nbias %d\nscale %d\nthreshold %d\n' % (corpus.GRAMS, bias, SCALE, THRESHOLD))
        f.writelines('%d %d\n' % (g, whole[g]) for g in sorted(whole))
