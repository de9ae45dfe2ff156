# SPDX-License-Identifier: BSD-3-Clause
"""Hashes of published artifacts that would page, or be called for what they are: the lenders' and exchanges' own contracts."""
LEAST_SCORE = 300
CORE = ('@aave/', '@uniswap/', '@balancer-labs/', '@pancakeswap', '@sushiswap/', '@morpho-org/')


def wanted(r):
    f = r['facts']
    return f['flash'] or f['cut'] or f['score'] >= LEAST_SCORE or r['package'].startswith(CORE)


def word(text):
    return ''.join(c if c.isalnum() or c in '._$-' else '_' for c in text)


def write(path, rows):
    seen = {}
    for r in rows:
        known = r['template'] if r['corpus'] == 'hard' else r.get('list') == 'templates'
        if known and wanted(r):
            seen.setdefault(r['hash'], (r['package'], word(r['contract'])))
    with open(path, 'w', encoding='utf-8') as f:
        f.write('# SPDX-License-Identifier: BSD-3-Clause\n'
                '# Published artifacts of lenders and exchanges, by the normalised hash of their init code (dataplane/detect/code.h). Their\n'
                '# deployment does not page; it is watched as any other. Made by tools/train/train.py CORPUS CODE_FEATURES --templates FILE.\n')
        f.writelines('%s %s %s\n' % ((h,) + seen[h]) for h in sorted(seen, key=lambda h: (seen[h], h)))
