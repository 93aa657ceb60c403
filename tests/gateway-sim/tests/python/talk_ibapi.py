"""The official client, unchanged, against the simulator: `talk_ibapi.py PORT VERSION EXPECTED.json`."""

import faulthandler
import json
import queue
import sys
import threading
import time

from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.wrapper import EWrapper

LIMIT = 20


class Client(EWrapper, EClient):
    """Puts what it hears into queues by name and request."""

    def __init__(self):
        EClient.__init__(self, self)
        self.heard = {}
        self.lock = threading.Lock()

    def box(self, name, request=None):
        with self.lock:
            return self.heard.setdefault((name, request), queue.Queue())

    def take(self, name, request=None):
        return self.box(name, request).get(timeout=LIMIT)

    def error(self, reqId, errorTime, errorCode, errorString, advancedOrderRejectJson=""):
        assert errorTime == 0 or abs(errorTime / 1000 - time.time()) < 60, errorTime
        self.box("error", reqId).put((errorCode, errorString))

    def nextValidId(self, orderId):
        self.box("next").put(orderId)

    def managedAccounts(self, accountsList):
        self.box("accounts").put(accountsList)

    def currentTime(self, time):
        self.box("time").put(time)

    def contractDetails(self, reqId, contractDetails):
        self.box("row", reqId).put(contractDetails)

    def contractDetailsEnd(self, reqId):
        self.box("row", reqId).put(None)

    def symbolSamples(self, reqId, contractDescriptions):
        self.box("samples", reqId).put(contractDescriptions)

    def headTimestamp(self, reqId, headTimestamp):
        self.box("head", reqId).put(headTimestamp)

    def historicalData(self, reqId, bar):
        self.box("bar", reqId).put(bar)

    def historicalDataEnd(self, reqId, start, end):
        self.box("bar", reqId).put((start, end))

    def historicalDataUpdate(self, reqId, bar):
        self.box("update", reqId).put(bar)

    def historicalSchedule(self, reqId, startDateTime, endDateTime, timeZone, sessions):
        self.box("schedule", reqId).put((startDateTime, endDateTime, timeZone, sessions))

    def realtimeBar(self, reqId, time, open_, high, low, close, volume, wap, count):
        self.box("tick", reqId).put([time, open_, high, low, close, float(volume), float(wap), count])

    def marketRule(self, marketRuleId, priceIncrements):
        self.box("rule", marketRuleId).put(priceIncrements)

    def marketDataType(self, reqId, marketDataType):
        self.box("type", reqId).put(marketDataType)

    def positionEnd(self):
        self.box("positions").put(True)

    def openOrderEnd(self):
        self.box("orders").put(True)

    def completedOrdersEnd(self):
        self.box("completed").put(True)

    def accountDownloadEnd(self, accountName):
        self.box("account").put(accountName)

    def accountUpdateMultiEnd(self, reqId):
        self.box("multi", reqId).put(True)

    def execDetailsEnd(self, reqId):
        self.box("executions", reqId).put(True)

    def until_end(self, name, request):
        """Everything of one name up to its end, and the end."""
        heard = []
        while True:
            next_one = self.take(name, request)
            if next_one is None or isinstance(next_one, tuple):
                return heard, next_one
            heard.append(next_one)


def contract(symbol, kind="STK", exchange="SMART", currency="USD"):
    made = Contract()
    made.symbol, made.secType, made.exchange, made.currency = symbol, kind, exchange, currency
    return made


def figures(bar):
    return [bar.open, bar.high, bar.low, bar.close, float(bar.volume)]


def whole(bar):
    return [int(bar.date), bar.open, bar.high, bar.low, bar.close, float(bar.volume), float(bar.wap), bar.barCount]


def handshake(app):
    assert app.take("accounts") == "DU1234567" and app.take("next") == 1
    assert {app.take("error", -1)[0] for _ in range(3)} == {2104, 2106, 2158}
    app.reqCurrentTime()
    assert abs(app.take("time") - time.time()) < 10
    app.reqPositions()
    app.reqOpenOrders()
    app.reqCompletedOrders(False)
    app.reqAccountUpdates(True, "DU1234567")
    app.reqAccountUpdatesMulti(90, "DU1234567", "", False)
    app.reqAccountUpdates(False, "DU1234567")
    assert app.take("positions") and app.take("orders") and app.take("completed") and app.take("multi", 90)
    assert app.take("account") == "DU1234567"


def contracts(app):
    app.reqContractDetails(1, contract("NVDA"))
    (row,), _ = app.until_end("row", 1)
    assert (row.contract.conId, row.contract.primaryExchange) == (4815747, "NASDAQ"), row
    assert (row.longName, row.minTick, row.timeZoneId) == ("NVIDIA CORP", 0.01, "US/Eastern"), row
    assert (row.validExchanges, row.priceMagnifier, row.stockType) == ("SMART,NASDAQ", 1, "COMMON"), row
    assert row.marketRuleIds == "26,26", row
    # Older layouts have no sizes.
    assert app.serverVersion() < 164 or float(row.suggestedSizeIncrement) == 100, row
    assert len(row.tradingHours.split(";")) == len(row.liquidHours.split(";")) == 7, row
    assert row.ineligibilityReasonList in ([], None), row.ineligibilityReasonList
    app.reqContractDetails(2, contract("NOSUCH"))
    assert app.take("error", 2)[0] == 200
    app.reqMatchingSymbols(3, "micros")
    first = app.take("samples", 3)[0]
    assert (first.contract.symbol, list(first.derivativeSecTypes)) == ("MSFT", ["CFD", "OPT"]), first
    app.reqMarketRule(26)
    (step,) = app.take("rule", 26)
    assert (step.lowEdge, step.increment) == (0, 0.01), step


def history(app, expected):
    stock, euro = contract("AAPL"), contract("EUR", "CASH", "IDEALPRO")
    for request, (size, rows) in enumerate(expected.items(), 10):
        app.reqHistoricalData(request, stock, "20250607 04:00:00 UTC", "1 W", size, "TRADES", 0, 2, False, [])
        bars, (start, end) = app.until_end("bar", request)
        assert [bar.date for bar in bars] == [row["wire"] for row in rows], bars
        assert [figures(bar) for bar in bars] == [row["figures"] for row in rows], bars
        assert start < end == "20250607 00:00:00 US/Eastern", (start, end)
    app.reqHeadTimeStamp(20, stock, "TRADES", 0, 1)
    assert app.take("head", 20) == "20250605-00:00:00"
    app.cancelHeadTimeStamp(20)
    app.reqHistoricalData(21, euro, "20250607-04:00:00", "3600 S", "1 min", "MIDPOINT", 0, 1, False, [])
    quotes, _ = app.until_end("bar", 21)
    assert len(quotes) == 60 and all((int(bar.volume), bar.barCount) == (-1, -1) for bar in quotes), quotes
    assert quotes[0].date.endswith(" US/Eastern"), quotes[0]
    app.reqHistoricalData(22, stock, "19990607 04:00:00 UTC", "1 D", "1 hour", "TRADES", 0, 2, False, [])
    code, text = app.take("error", 22)
    assert code == 162 and "returned no data" in text, text
    if app.serverVersion() < 165:
        return
    app.reqHistoricalData(23, euro, "", "2 D", "1 day", "SCHEDULE", 1, 1, False, [])
    assert app.take("schedule", 23)[2] == "US/Eastern"


def live(app):
    stock = contract("NVDA")
    app.reqHistoricalData(30, stock, "", "300 S", "10 secs", "TRADES", 0, 2, True, [])
    app.reqRealTimeBars(31, stock, 5, "TRADES", 0, [])
    app.until_end("bar", 30)
    closed = {}
    while len(closed) < 4:
        bar = app.take("update", 30)
        closed[bar.date] = whole(bar)
    ticks = [app.take("tick", 31) for _ in range(3)]
    app.cancelHistoricalData(30)
    app.cancelRealTimeBars(31)
    assert [later[0] - sooner[0] for sooner, later in zip(ticks, ticks[1:])] == [5, 5], ticks
    app.reqHistoricalData(32, stock, "", "600 S", "10 secs", "TRADES", 0, 2, False, [])
    later = {bar.date: whole(bar) for bar in app.until_end("bar", 32)[0]}
    for stamp in list(closed)[:-1]:
        assert later[stamp] == closed[stamp], (later[stamp], closed[stamp])
    app.reqHistoricalData(33, stock, "", "300 S", "5 secs", "TRADES", 0, 2, False, [])
    small = [whole(bar) for bar in app.until_end("bar", 33)[0]]
    assert all(tick in small for tick in ticks), (ticks, small)
    app.reqMarketDataType(3)
    app.reqMktData(34, stock, "", False, False, [])
    assert app.take("type", 34) == 3
    app.cancelMktData(34)


def main(port, version, expected):
    app = Client()
    app.connect("127.0.0.1", int(port), 8)
    assert app.serverVersion() == int(version), app.serverVersion()
    reader = threading.Thread(target=app.run, daemon=True)
    reader.start()
    handshake(app)
    contracts(app)
    with open(expected) as file:
        history(app, json.load(file))
    live(app)
    # Its answer shows that nothing before it was left unanswered.
    app.reqIds(1)
    assert app.take("next") == 1
    errors = {key: list(box.queue) for key, box in app.heard.items() if key[0] == "error" and box.qsize()}
    assert errors == {}, errors
    app.disconnect()
    reader.join(LIMIT)
    print(f"ibapi at {version}: done")


if __name__ == "__main__":
    # Says where it hangs, and ends it.
    faulthandler.dump_traceback_later(12, exit=True)
    main(*sys.argv[1:])
