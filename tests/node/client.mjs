// Lists, queries, loads and watches from Node, from the published .proto files alone.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { randomUUID } from "node:crypto";

const [socket, proto, modules] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const grpc = require("@grpc/grpc-js");
const loader = require("@grpc/proto-loader");

const FILES = ["market_data", "operations", "gateway", "daemon"].map((name) => `ktrdr/v1/${name}.proto`);
const definition = loader.loadSync(FILES, { includeDirs: [proto], keepCase: true, enums: String, longs: BigInt, oneofs: true });
const { ktrdr } = grpc.loadPackageDefinition(definition);

// a name that HTTP/2 servers take: the path of a socket is none
const options = { "grpc.default_authority": "localhost" };
const client = (Service) => new Service(`unix:${socket}`, grpc.credentials.createInsecure(), options);
const deadline = () => ({ deadline: Date.now() + 30_000 });
const call = (service, method, request) =>
    new Promise((resolve, reject) =>
        service[method](request, new grpc.Metadata(), deadline(), (error, answer) => (error ? reject(error) : resolve(answer))),
    );

const data = client(ktrdr.v1.MarketData);
const operations = client(ktrdr.v1.Operations);
const gateway = client(ktrdr.v1.Gateway);

const { series } = await call(data, "ListSeries", {});
assert.deepEqual(series.map((one) => one.series.symbol), ["GOOGL"]);

let rows = 0;
for await (const part of data.Query({ series: { symbol: "GOOGL", timeframe: "TIMEFRAME_DAYS_1" } }, new grpc.Metadata(), deadline())) {
    if (part.part === "bars") {
        rows += part.bars.close.length;
    } else {
        assert.equal(part.header.rows_sent, 359n);
    }
}
assert.equal(rows, 359);

const loading = await call(data, "Load", {
    request_id: randomUUID(),
    series: { symbol: "AAPL", timeframe: "TIMEFRAME_HOURS_1" },
    range: { start_ns: 1_717_372_800_000_000_000n.toString(), end_ns: 1_717_804_800_000_000_000n.toString() },
});
const states = [];
let ended;
for await (const change of operations.Watch({ id: loading.operation.id }, new grpc.Metadata(), deadline())) {
    ended = change.operation;
    states.push(ended.state);
}
assert.equal(states.at(-1), "OPERATION_STATE_COMPLETED", states.join(" "));
assert.ok(states.length >= 1);

const watch = gateway.Watch({}, new grpc.Metadata(), deadline());
const state = await new Promise((resolve, reject) => watch.once("data", resolve).once("error", reject));
assert.equal(state.status.state, "GATEWAY_STATE_READY");
watch.on("error", () => {}).cancel();

await assert.rejects(call(data, "GetRange", { series: { symbol: "NOPE", timeframe: "TIMEFRAME_DAYS_1" } }), (error) => {
    assert.equal(error.code, grpc.status.NOT_FOUND);
    assert.match(error.details, /no bars of NOPE 1d are stored/);
    return true;
});
console.log(`${rows} bars; ${states.length} states of a load`);
