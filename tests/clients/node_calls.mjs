// Node as client, started by node_calls.py with the gateway's addresses: http, https, http2 (with TLS and by prior
// knowledge), fetch and, where this Node has one, WebSocket. Prints each case that fails, then the sums.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import { readFileSync } from "node:fs";

const { plain, h2c, secure, mutual, dir } = JSON.parse(process.argv[2]);
const ca = readFileSync(`${dir}/ca.pem`);
const shown = { ca, cert: readFileSync(`${dir}/client.pem`), key: readFileSync(`${dir}/client.key`) };
const pattern = (count) => Buffer.from(Uint8Array.from({ length: count }, (_, at) => at % 251));

// One request by the module http or https: status, fields, trailers, body, version.
function one(url, { method = "GET", headers = {}, body = null, pieces = null, ...more } = {}) {
  return new Promise((done, fail) => {
    const options = { method, headers, ...more, ...(url.startsWith("https") ? { ca, ...more } : {}) };
    const request = (url.startsWith("https") ? https : http).request(url, options, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => done({ status: answer.statusCode, headers: answer.headers, trailers: answer.trailers,
        body: Buffer.concat(parts), version: answer.httpVersion }));
    });
    request.on("error", fail);
    for (const piece of pieces ?? []) request.write(piece);
    request.end(body);
  });
}

// One request on a session of the module http2.
function stream(session, path, { method = "GET", headers = {}, body = null } = {}) {
  return new Promise((done, fail) => {
    const asked = session.request({ ":method": method, ":path": path, ...headers }, { endStream: body === null });
    const parts = [];
    let head, trailers = {}, hints = 0;
    asked.on("headers", () => hints++);
    asked.on("response", (it) => (head = it));
    asked.on("trailers", (it) => (trailers = it));
    asked.on("data", (part) => parts.push(part));
    asked.on("end", () => done({ status: head[":status"], headers: head, trailers, hints, body: Buffer.concat(parts) }));
    asked.on("error", fail);
    if (body !== null) asked.end(body);
  });
}

async function on(url, play, options = {}) {
  const session = http2.connect(url, { ca, ...options });
  try {
    await new Promise((done, fail) => session.once("connect", done).once("error", fail));
    await play(session);
  } finally {
    session.destroy();
  }
}

const cases = {
  async http1() {
    for (const url of [plain, secure]) {
      const { status, body, version } = await one(`${url}/hello`);
      assert.deepEqual([status, `${body}`, version], [200, "hello", "1.1"]);
      const sent = randomBytes(3_000_000);
      assert.ok((await one(`${url}/echo`, { method: "POST", body: sent })).body.equals(sent));
      assert.ok((await one(`${url}/bytes/5000000`)).body.equals(pattern(5_000_000)));
    }
  },
  async http1_keeps_connections() {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const all = await Promise.all(Array.from({ length: 50 }, (_, n) => one(`${plain}/bytes/${n}`, { agent })));
    all.forEach(({ body }, n) => assert.equal(body.length, n));
    agent.destroy();
  },
  async http1_pieces_and_trailers() {
    const pieces = Array.from({ length: 20 }, () => randomBytes(7_000));
    for (const url of [plain, secure]) {
      const { body, trailers } = await one(`${url}/stream`, { method: "POST", pieces, headers: { te: "trailers" } });
      assert.ok(body.equals(Buffer.concat(pieces)));
      assert.equal(trailers["x-sum"], createHash("sha256").update(body).digest("hex"));
    }
  },
  async http1_client_certificate() {
    const { body } = await one(`${mutual}/people/request`, shown);
    assert.ok(`${body}`.includes('["x-client-name", "alice"]'), `${body}`);
    await assert.rejects(one(`${mutual}/people/request`));
  },
  async http2_streams() {
    for (const url of [plain, h2c, secure]) {
      await on(url, async (session) => {
        const all = await Promise.all(Array.from({ length: 90 }, (_, n) => stream(session, `/bytes/${n * 100}`)));
        all.forEach(({ status, body }, n) => assert.ok(status === 200 && body.equals(pattern(n * 100)), `${n}`));
        assert.ok((await stream(session, "/bytes/5000000")).body.equals(pattern(5_000_000)));
        const sent = randomBytes(3_000_000);
        assert.ok((await stream(session, "/echo", { method: "POST", body: sent })).body.equals(sent));
      });
    }
  },
  async http2_trailers_cookies_and_hints() {
    for (const url of [h2c, secure]) {
      await on(url, async (session) => {
        const { body, trailers } = await stream(session, "/stream", { method: "POST", body: randomBytes(100_000),
          headers: { te: "trailers" } });
        assert.equal(trailers["x-sum"], createHash("sha256").update(body).digest("hex"));
        const { headers } = await stream(session, "/cookies");
        assert.deepEqual(headers["set-cookie"], ["a=1; Path=/", "b=2; Path=/; HttpOnly"]);
        const asked = JSON.parse((await stream(session, "/request", { headers: { cookie: ["a=1", "b=2"] } })).body);
        assert.deepEqual(asked.fields.filter(([name]) => name === "cookie"), [["cookie", "a=1; b=2"]]);
        const { hints, status } = await stream(session, "/hints");
        assert.deepEqual([hints, status], [1, 200]);
      });
    }
  },
  async http2_cancelling_one_of_many() {
    await on(secure, async (session) => {
      const given_up = session.request({ ":path": "/bytes/50000000" });
      await new Promise((done) => given_up.once("data", done));
      given_up.close(http2.constants.NGHTTP2_CANCEL);
      assert.equal(`${(await stream(session, "/hello")).body}`, "hello");
    });
  },
  async http2_pings_and_settings() {
    await on(h2c, async (session) => {
      await new Promise((done, fail) => session.ping((error) => (error ? fail(error) : done())));
      await new Promise((done) => session.settings({ initialWindowSize: 1_000_000, maxFrameSize: 100_000 }, done));
      assert.equal((await stream(session, "/bytes/3000000")).body.length, 3_000_000);
    });
  },
  async http2_client_certificate() {
    await on(mutual, async (session) => {
      assert.ok(`${(await stream(session, "/people/request")).body}`.includes('["x-client-name", "alice"]'));
    }, shown);
  },
  async http2_refuses_a_wrong_protocol() {
    await assert.rejects(one(`${h2c}/hello`), undefined, "an HTTP/1.1 request where only h2c is spoken");
  },
  async fetching() {
    const answer = await fetch(`${plain}/hello`);
    assert.deepEqual([answer.status, await answer.text()], [200, "hello"]);
    const sent = randomBytes(1_000_000);
    const body = new ReadableStream({ start(control) { control.enqueue(sent); control.close(); } });
    const back = await fetch(`${plain}/echo`, { method: "POST", body, duplex: "half" });
    assert.ok(Buffer.from(await back.arrayBuffer()).equals(sent));
    const events = (await fetch(`${plain}/events`)).body.getReader();
    let heard = "";
    while (!heard.includes("event 2\n\n")) heard += Buffer.from((await events.read()).value);
    await events.cancel();
  },
  async websocket() {
    if (typeof WebSocket === "undefined") return console.log("(this Node has no WebSocket without a flag)");
    const socket = new WebSocket(`${plain.replace("http", "ws")}/socket`);
    const heard = [];
    await new Promise((done, fail) => {
      socket.onerror = fail;
      socket.onopen = () => { socket.send("hello"); socket.send("ä".repeat(100_000)); };
      socket.onmessage = ({ data }) => { if (heard.push(data) === 2) socket.close(4000, "enough"); };
      socket.onclose = ({ code, wasClean }) => { assert.deepEqual([code, wasClean], [4000, true]); done(); };
    });
    assert.deepEqual(heard, ["hello", "ä".repeat(100_000)]);
  },
};

let [passed, failed] = [0, 0];
for (const [name, play] of Object.entries(cases)) {
  let timer;
  const late = new Promise((_, fail) => (timer = setTimeout(() => fail(new Error("it hangs")), 30_000)));
  try {
    await Promise.race([play(), late]);
    passed++;
  } catch (error) {
    failed++;
    console.log(`FAILED ${name}\n${error.stack}`);
  }
  clearTimeout(timer);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
