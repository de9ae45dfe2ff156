# SPDX-License-Identifier: BSD-3-Clause
"""The labelled codes of a corpus folder (tests/corpus), with what the reader of code says of them."""
import collections
import json
import os
import re
import subprocess

GRAMS = 65536
BINS = ((0, 5, 0), (0, 6, 0), (0, 7, 0), (0, 8, 0), (0, 8, 20))  # solc: generators of code that differ


def solc_of(code):
    """The compiler as the metadata in the code tells it, (0, 0, 0) if it does not."""
    found = re.findall(rb'\x64solc\x43(...)', code, re.S)
    if found:
        return tuple(collections.Counter(found).most_common(1)[0][0])
    return (0, 4, 99) if b'bzzr0\x58\x20' in code else (0, 5, 8) if b'bzzr1\x58\x20' in code else (0, 0, 0)


def stratum(version):
    return 'none' if version == (0, 0, 0) else 'solc%d' % sum(version >= b for b in BINS)


def read(folder, name):
    with open(os.path.join(folder, name + '.ndjson'), encoding='utf-8') as f:
        return [json.loads(line) for line in f]


def features(tool, codes):
    run = subprocess.run([tool, '--grams'], input='\n'.join(codes) + '\n', stdout=subprocess.PIPE, check=True, text=True)
    facts = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(facts) == len(codes), 'the tool answered another number of lines'
    return facts


def row_of(record, facts, corpus):
    row = {'corpus': corpus, 'id': record['id'], 'y': int(corpus == 'attacks'), 'facts': facts, 'hash': facts['hash'],
           'grams': facts['grams'], 'cut': facts['cut'], 'contract': record.get('contract'), 'template': record.get('template', False)}
    if corpus == 'attacks':
        version = tuple(int(x) for x in record['solc'].split('.'))
        row.update(family=record['family'], provider=record['provider'], style=record['style'], source=record['id'].split('@')[0],
                   setting='%s' % record['optimizer'], via_ir=record['via_ir'], addresses=record['addresses'], form=record['form'],
                   encoding=record['encoding'], dispatch=record['dispatch'], label=record['label'])
    else:
        version = solc_of(bytes.fromhex(record['init_code'][2:]))
        row.update(package=record['package'], list=record.get('list', 'hard'), label='benign')
    row.update(version=version, stratum=stratum(version))
    return row


def load(folder, tool):
    """Rows in the order of the files; generic executors that only serve as targets of calls are left out."""
    rows = []
    for corpus in ('attacks', 'benign', 'hard'):
        records = read(folder, corpus)
        facts = features(tool, [r['init_code'] for r in records])
        rows += [row_of(r, f, corpus) for r, f in zip(records, facts)]
    return [r for r in rows if r['label'] in ('flash', 'benign')]
