#!/usr/bin/env bash
# python-calamine gives an error cell of a workbook as an empty text, and rounds a number that the file holds with all its digits.
#
# versions:  python-calamine 0.9.1, openpyxl 3.1.5 (Python 3.11, x86-64 Linux)
# behaviour: a cell that holds #N/A (a formula that found nothing) is read as '', like a cell with nothing in it, so that a
#            missing lookup cannot be told from a blank. A number of 18 digits that is stored with all of them becomes the nearest
#            float. openpyxl gives '#N/A' and the whole number.
# one would guess: an error is an error, None or its text; an integer that is written down is read as it is written.
# seen:      python-calamine ['', 1.2345678901234568e+17] openpyxl ['#N/A', 123456789012345678]
# what helps: read the cells with t="e" and long <v> from the sheet's XML.
# exits with 1 when both libraries agree.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check python-calamine==0.9.1 openpyxl==3.1.5
"$work/venv/bin/python" - "$work" <<'PYTHON'
import pathlib
import sys
import zipfile

import openpyxl
from python_calamine import CalamineWorkbook

plain, stored = (pathlib.Path(sys.argv[1], name) for name in ("plain.xlsx", "stored.xlsx"))
book = openpyxl.Workbook()
book.active.append(["#N/A", 7])
book.active["A1"].data_type = "e"
book.save(plain)
with zipfile.ZipFile(plain) as parts, zipfile.ZipFile(stored, "w") as copy:
    for name in parts.namelist():  # openpyxl itself would write fewer digits
        copy.writestr(name, parts.read(name).replace(b"<v>7</v>", b"<v>123456789012345678</v>"))
one = CalamineWorkbook.from_path(str(stored)).get_sheet_by_index(0).to_python()[0]
other = list(next(openpyxl.load_workbook(stored).active.values))
print("python-calamine", one, "openpyxl", other)
sys.exit(1 if one == other else 0)
PYTHON
