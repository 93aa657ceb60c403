"""ib_async, unchanged, against the simulator: `talk_ib_async.py PORT EXPECTED.json`."""

import datetime
import faulthandler
import json
import logging
import sys

import ib_async

LIMIT = 20
UTC = datetime.timezone.utc


class Problems(logging.Handler):
    """Everything the library complains about by itself."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def figures(bar):
    return [bar.open, bar.high, bar.low, bar.close, bar.volume]


def wait_for(ib, condition):
    end = datetime.datetime.now() + datetime.timedelta(seconds=LIMIT)
    while not condition():
        assert datetime.datetime.now() < end, "took too long"
        ib.sleep(0.02)


def handshake(ib):
    assert ib.client.serverVersion() == 178, ib.client.serverVersion()
    assert ib.managedAccounts() == ["DU1234567"], ib.managedAccounts()
    assert (ib.positions(), ib.openOrders(), ib.fills()) == ([], [], [])
    age = datetime.datetime.now(UTC) - ib.reqCurrentTime()
    assert abs(age) < datetime.timedelta(seconds=10), age


def contracts(ib, errors):
    (row,) = ib.reqContractDetails(ib_async.Stock("NVDA", "SMART", "USD"))
    assert (row.contract.conId, row.contract.primaryExchange) == (4815747, "NASDAQ"), row
    assert (row.longName, row.minTick, row.timeZoneId) == ("NVIDIA CORP", 0.01, "US/Eastern"), row
    assert (row.validExchanges, row.priceMagnifier, row.stockType) == ("SMART,NASDAQ", 1, "COMMON"), row
    assert row.marketRuleIds == "26,26" and row.suggestedSizeIncrement == 100.0, row
    assert len(row.tradingSessions()) == len(row.tradingHours.split(";")) == 7, row.tradingHours
    assert len(ib.reqContractDetails(ib_async.Stock("MSFT"))) == 4
    assert ib.reqContractDetails(ib_async.Stock("NOSUCH", "SMART", "USD")) == []
    assert errors.pop()[1] == 200
    (euro,) = ib.reqContractDetails(ib_async.Forex("EURUSD"))
    assert (euro.contract.localSymbol, euro.minTick) == ("EUR.USD", 0.00005), euro
    first = ib.reqMatchingSymbols("micros")[0]
    assert (first.contract.symbol, first.derivativeSecTypes) == ("MSFT", ["CFD", "OPT"]), first
    assert ib.reqMarketRule(26) == [ib_async.PriceIncrement(0.0, 0.01)]


def history(ib, errors, expected):
    stock = ib_async.Stock("AAPL", "SMART", "USD")
    for size, rows in expected.items():
        bars = ib.reqHistoricalData(stock, "20250607 04:00:00 UTC", "1 W", size, "TRADES", False, formatDate=2)
        stamps = [bar.date.isoformat() for bar in bars]
        assert stamps == [row["date"] for row in rows], stamps
        assert [figures(bar) for bar in bars] == [row["figures"] for row in rows], bars
    head = ib.reqHeadTimeStamp(stock, "TRADES", False, formatDate=2)
    assert head == datetime.datetime(2025, 6, 5, tzinfo=UTC), head
    euro = ib_async.Forex("EURUSD")
    quotes = ib.reqHistoricalData(euro, "20250607-04:00:00", "3600 S", "1 min", "MIDPOINT", False)
    assert len(quotes) == 60 and all((bar.volume, bar.barCount) == (-1, -1) for bar in quotes), quotes
    old = ib.reqHistoricalData(stock, "19990607 04:00:00 UTC", "1 D", "1 hour", "TRADES", False)
    assert list(old) == [] and errors[-1][1] == 162 and "returned no data" in errors.pop()[2], errors
    schedule = ib.reqHistoricalSchedule(euro, 2)
    assert (schedule.timeZone, len(schedule.sessions)) == ("US/Eastern", 2), schedule


def live(ib):
    stock = ib_async.Stock("NVDA", "SMART", "USD")
    growing = ib.reqHistoricalData(stock, "", "300 S", "10 secs", "TRADES", False, formatDate=2, keepUpToDate=True)
    first = len(growing)
    ticks = ib.reqRealTimeBars(stock, 5, "TRADES", False)
    wait_for(ib, lambda: len(growing) >= first + 3 and len(ticks) >= 3)
    ib.cancelHistoricalData(growing)
    ib.cancelRealTimeBars(ticks)
    gaps = {(one.time.timestamp(), other.time.timestamp() - one.time.timestamp()) for one, other in zip(ticks, ticks[1:])}
    assert all(gap == 5 for _, gap in gaps), gaps
    later = ib.reqHistoricalData(stock, "", "600 S", "10 secs", "TRADES", False, formatDate=2)
    closed = {bar.date: bar for bar in later[:-1]}
    for bar in growing[1:-1]:
        assert closed[bar.date] == bar, (closed[bar.date], bar)
    small = {bar.date: bar for bar in ib.reqHistoricalData(stock, "", "300 S", "5 secs", "TRADES", False, formatDate=2)}
    for bar in ticks:
        same = small[bar.time]
        assert [same.open, same.high, same.low, same.close] == [bar.open_, bar.high, bar.low, bar.close], (same, bar)
        assert (same.volume, same.average, same.barCount) == (bar.volume, bar.wap, bar.count), (same, bar)
    ib.reqMarketDataType(3)
    (stock,) = ib.qualifyContracts(stock)
    ticker = ib.reqMktData(stock)
    wait_for(ib, lambda: ticker.marketDataType == 3)
    ib.cancelMktData(stock)


def main(port, expected):
    problems, errors = Problems(), []
    logging.getLogger("ib_async").addHandler(problems)
    done = []
    logging.getLogger("ib_async.ib").addFilter(lambda record: done.append(record.getMessage()) or True)
    logging.getLogger("ib_async.ib").setLevel(logging.INFO)
    ib = ib_async.IB()
    ib.RequestTimeout = LIMIT
    ib.RaiseRequestErrors = False
    ib.errorEvent += lambda request, code, text, _: errors.append((request, code, text))
    ib.connect("127.0.0.1", int(port), clientId=7, timeout=LIMIT, raiseSyncErrors=True)
    assert "Synchronization complete" in done, done
    wait_for(ib, lambda: {error[1] for error in errors} == {2104, 2106, 2158})
    assert problems.lines == [], problems.lines
    errors.clear()
    handshake(ib)
    contracts(ib, errors)
    with open(expected) as file:
        history(ib, errors, json.load(file))
    live(ib)
    assert errors == [], errors
    ib.disconnect()
    print(f"ib_async {ib_async.__version__}: {done}")


if __name__ == "__main__":
    # Says where it hangs, and ends it.
    faulthandler.dump_traceback_later(60, exit=True)
    main(*sys.argv[1:])
