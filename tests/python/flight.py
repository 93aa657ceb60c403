"""Arrow Flight over the daemon's socket: lists, gets, puts, and is refused, as any Flight client can."""

import datetime
import json
import sys

import duckdb
import polars
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import flight

# Flight would send the percent-encoded path of the socket as :authority, which HTTP/2 servers refuse.
OPTIONS = [("grpc.default_authority", "localhost")]
UTC = datetime.timezone.utc


def ticket(**words):
    return flight.Ticket(json.dumps(words))


def refused(call, *words):
    try:
        call()
    except (flight.FlightError, pa.ArrowException, KeyError, NotImplementedError) as error:
        for word in words:
            assert word in str(error), error
        return
    raise AssertionError(f"not refused: {words}")


def gets(client):
    flights = {tuple(part.decode() for part in one.descriptor.path): one for one in client.list_flights()}
    assert set(flights) == {("NVDA", "1h"), ("GOOGL", "1d")}, flights
    assert [one.total_records for one in client.list_flights(b"goog")] == [359]
    info = client.get_flight_info(flight.FlightDescriptor.for_path("GOOGL", "1d"))
    table = client.do_get(info.endpoints[0].ticket).read_all()
    assert table.num_rows == info.total_records == 359 and table.schema.equals(info.schema)
    assert table.schema.field("timestamp").type == pa.timestamp("us", "UTC")
    assert table["close"][0].as_py() == 137.92
    assert client.get_schema(info.descriptor).schema.equals(info.schema)

    first, last = table["timestamp"][10].as_py(), table["timestamp"][20].as_py()
    part = client.do_get(ticket(symbol="googl", timeframe="1d", start=first.isoformat(), end=last.isoformat())).read_all()
    assert part.equals(table.slice(10, 10))
    command = flight.FlightDescriptor.for_command(json.dumps({"symbol": "GOOGL", "timeframe": "1d", "tail": 3}))
    tail = client.do_get(client.get_flight_info(command).endpoints[0].ticket).read_all()
    assert tail.equals(table.slice(356))

    hours = client.do_get(ticket(symbol="NVDA", timeframe="1h")).read_all()
    assert hours.num_rows == 1_689 and polars.from_arrow(hours).height == hours.num_rows
    ((highest,),) = duckdb.sql("select max(high) from hours").fetchall()
    assert highest == pc.max(hours["high"]).as_py()


def puts(client):
    bars = pa.table(
        {
            "timestamp": pa.array([datetime.datetime(2024, 1, day, tzinfo=UTC) for day in (2, 3, 4)], pa.timestamp("ns", "UTC")),
            "open": [1.5, 0.1 + 0.2, 3],
            "high": [2.5, 2.5, 3.25],
            "low": [1.0, 0.3, 2.75],
            "close": [2.0, 1.0, 3.0],
            "volume": pa.array([100, None, 300], pa.int64()),
        }
    )
    path = flight.FlightDescriptor.for_path("PUT", "1d")

    def put(table, path=path):
        writer, reader = client.do_put(path, table.schema)
        writer.write_table(table)
        writer.done_writing()
        answer = reader.read()
        # tells why, when nothing came back
        writer.close()
        return json.loads(answer.to_pybytes())

    stored = put(bars)["result"]["files"][0]
    assert (stored["rows"], stored["added"]) == (3, 3), stored
    back = client.do_get(ticket(symbol="PUT", timeframe="1d")).read_all()
    for name in ("open", "high", "low", "close"):
        assert back[name].to_pylist() == bars[name].to_pylist(), name
    assert back["volume"].to_pylist() == [100, None, 300]
    assert put(bars)["result"]["files"][0]["unchanged"] == 3

    naive = bars.set_column(0, "timestamp", bars["timestamp"].cast(pa.timestamp("ns")))
    refused(lambda: put(naive), "timestamps with a zone")
    refused(lambda: put(bars.drop(["close"])), "no column close")
    refused(lambda: put(bars, flight.FlightDescriptor.for_path("PUT")), "a symbol and a timeframe")
    assert client.do_get(ticket(symbol="PUT", timeframe="1d")).read_all().equals(back)


def main(socket):
    client = flight.FlightClient(f"grpc+unix://{socket}", generic_options=OPTIONS)
    gets(client)
    puts(client)
    get = lambda **words: client.do_get(ticket(**words)).read_all()
    refused(lambda: get(symbol="NOPE", timeframe="1d"), "no bars of NOPE 1d are stored")
    refused(lambda: get(symbol="GOOGL", timeframe="7q"), "timeframe")
    refused(lambda: get(symbol="GOOGL", timeframe="1d", start="soon"), "is no instant", "2024-01-02")
    refused(lambda: get(symbol="GOOGL", timeframe="1d", colour="red"), "colour")
    refused(lambda: client.do_get(flight.Ticket(b"\xff\x00")).read_all(), "asks for nothing")
    refused(lambda: list(client.do_action(flight.Action("x", b""))), "no actions")
    assert list(client.list_actions()) == []
    print(f"pyarrow {pa.__version__}: bars came, and went")


if __name__ == "__main__":
    main(*sys.argv[1:])
