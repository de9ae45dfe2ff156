# SPDX-License-Identifier: BSD-3-Clause
"""What the model is worth, in lines of text: the head of the weights' file is made of them too."""
import scores

SIZES = (2000, 6000, 12000, 1 << 30)


def percent(n, of):
    return '%d of %d (%.1f %%)' % (n, of, 100 * n / of) if of else 'none'


def quantile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(p * len(values)))] if values else 0


def paged_by_rules(r):
    """As flash-loan-deployments.yaml pages without the model and without templates."""
    f = r['facts']
    return f['score'] >= (350 if f['flash'] else 600)


class View:
    def __init__(self, rows, sums, bias):
        self.learned = {i: scores.score(s + bias) for i, s in sums.items()}
        self.rows = [r for r in rows if r['index'] in self.learned]

    def over(self, keep):
        rows = [r for r in self.rows if keep(r)]
        return sum(self.learned[r['index']] >= scores.THRESHOLD for r in rows), len(rows)

    def points(self, keep, p):
        return [quantile([self.learned[r['index']] for r in self.rows if keep(r)], x) for x in p]


def split_lines(name, v):
    attacks, rest, hard = v.over(lambda r: r['y']), v.over(lambda r: not r['y'] and r['list'] == 'rest'), v.over(lambda r: r['corpus'] == 'hard')
    yield '%s: recall %s; pages of benign rest %s, of hard negatives %s; precision %.3f' % (
        name, percent(*attacks), percent(*rest), percent(*hard), attacks[0] / max(1, attacks[0] + rest[0] + hard[0]))


def table(title, v, keep, key):
    for value in sorted({str(key(r)) for r in v.rows if keep(r)}):
        same = lambda r: keep(r) and str(key(r)) == value
        yield '%s %s: p50 %d, p90 %d, p99 %d, over %s' % ((title, value) + tuple(v.points(same, (0.5, 0.9, 0.99))) + (percent(*v.over(same)),))


def lines(rows, sums, whole, bias):
    views = {name: View(rows, s, bias) for name, s in sums.items()}
    cut = [r for r in rows if not r['y'] and r['cut'] and r['list'] == 'rest']
    out = ['weights %d, bias %d, threshold %d' % (len(whole), bias, scores.THRESHOLD),
           'too much to read, so paged whatever the weights are: %d of benign rest' % len(cut)]
    for name in ('families', 'providers', 'hand', 'time'):
        out += split_lines(name, views[name])
    quiet = lambda r: r['y'] and not paged_by_rules(r)
    out.append('beside the rules: of the attacks that no rule pages, it pages %s (families), %s (providers)' % (
        percent(*views['families'].over(quiet)), percent(*views['providers'].over(quiet))))
    v = views['families']
    benign, rest = lambda r: not r['y'], lambda r: not r['y'] and r['list'] == 'rest'
    out += table('attacks solc', v, lambda r: r['y'], lambda r: '%d.%d.%02d' % r['version'])
    out += table('attacks optimizer', v, lambda r: r['y'], lambda r: r['setting'])
    out += table('attacks via IR', v, lambda r: r['y'], lambda r: r['via_ir'])
    out += table('benign', v, benign, lambda r: r['stratum'])
    out += table('benign rest up to bytes', v, rest, lambda r: '%10d' % next(s for s in SIZES if r['facts']['len'] <= s))
    wrong = [r for r in v.rows if benign(r) and v.learned[r['index']] >= scores.THRESHOLD]
    out += ['pages wrongly: %s %s' % (r['list'], r['id']) for r in sorted(wrong, key=lambda r: r['id'])]
    return out


def header(report_lines):
    return ['The learned score: what it weighs that a gram of code_grams (dataplane/detect/code.h) is there. Made by',
            'tools/train/train.py CORPUS CODE_FEATURES --weights FILE over the corpora of tests/corpus/build.sh: do not edit, make again.',
            'Figures of models that had not seen the code\'s like; threshold as in rule 2104:', ''] + \
        [x for x in report_lines if not x.startswith(('attacks ', 'benign ', 'pages wrongly'))]
