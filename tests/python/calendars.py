"""Holds the daemon's calendars against QuantLib's, day by day: `calendars.py KTRDR DIFFERENCES`.

XMAD, XSES, XBOM and CMES are not compared: QuantLib has no calendar of their own exchanges.
"""

import datetime
import fnmatch
import json
import subprocess
import sys

import QuantLib as ql

OTHERS = {
    "XNYS": ql.UnitedStates(ql.UnitedStates.NYSE),
    "XTSE": ql.Canada(ql.Canada.TSX),
    "XLON": ql.UnitedKingdom(ql.UnitedKingdom.Exchange),
    "XETR": ql.Germany(ql.Germany.Xetra),
    "XPAR": ql.France(ql.France.Exchange),
    "XAMS": ql.France(ql.France.Exchange),
    "XMIL": ql.Italy(ql.Italy.Exchange),
    "XSWX": ql.Switzerland(),
    "XSTO": ql.Sweden(),
    "XCSE": ql.Denmark(),
    "XHEL": ql.Finland(),
    "XOSL": ql.Norway(),
    "XTKS": ql.Japan(),
    "XHKG": ql.HongKong(),
    "XASX": ql.Australia(ql.Australia.ASX),
    "XKRX": ql.SouthKorea(ql.SouthKorea.KRX),
}
FIRST, LAST = "2005-01-01", "2027-12-31"


def days(ktrdr, code):
    words = ["data", "calendar", code, "--from", FIRST, "--to", LAST, "--format", "json"]
    answer = json.loads(subprocess.run([ktrdr, *words], check=True, capture_output=True, text=True).stdout)
    return {datetime.date.fromisoformat(day["date"]): day["open"] for day in answer["days"]}


def main():
    ktrdr, file = sys.argv[1:]
    with open(file, encoding="utf-8") as lines:
        known = [line.split(None, 3) for line in lines if not line.startswith("#")]
    used, wrong, compared = set(), [], 0
    for code, other in OTHERS.items():
        for date, is_open in days(ktrdr, code).items():
            if date.weekday() >= 5:
                continue
            compared += 1
            if is_open == other.isBusinessDay(ql.Date(date.day, date.month, date.year)):
                continue
            ours = "open" if is_open else "closed"
            why = [n for n, (c, d, o, _) in enumerate(known) if (c, o) == (code, ours) and fnmatch.fnmatch(str(date), d)]
            used.update(why)
            if not why:
                wrong.append(f"{code} {date}: ours is {ours}")
    wrong += [f"differs no longer: {known[n]}" for n in range(len(known)) if n not in used]
    assert compared > 90_000, compared
    assert not wrong, "\n".join(wrong)
    print(compared, "days compared")


main()
