#!/usr/bin/env bash
# Python's csv.writer leaves a lone carriage return without quotes, and csv.reader then sees two rows.
#
# versions:  Python 3.11.7, standard library (x86-64 Linux)
# behaviour: with lineterminator="\n" a field that holds a carriage return, and nothing else that asks for quotes, is
#            written bare. csv.reader, on a stream opened with newline="" as its documentation says, ends the row there: one
#            row of two fields comes back as two rows, and nothing fails. With the default "\r\n" the field is quoted.
# one would guess: what csv.writer writes csv.reader reads back, whatever the line terminator is.
# seen:      wrote 'a\rb,c\n', read [['a'], ['b', 'c']]; with "\r\n" wrote '"a\rb",c\r\n', read [['a\rb', 'c']]
# what helps: quoting=csv.QUOTE_ALL, or the default line terminator.
# exits with 1 when both come back as they were.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cat >lone_return.py <<'PYTHON'
import csv
import io
import sys

row = ["a\rb", "c"]
right = 0
for terminator in ("\n", "\r\n"):
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator=terminator).writerow(row)
    read = list(csv.reader(io.StringIO(out.getvalue(), newline="")))
    right += read == [row]
    print(f"wrote {out.getvalue()!r}, read {read}")
sys.exit(right == 2)
PYTHON
python3 lone_return.py
