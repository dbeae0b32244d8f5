// Receivers of four of the systems, as the users of each would write them in Node: node:http and node:crypto only.
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

import { Malformed, read } from "./envelopes.mjs";

const BODY_BYTES_MAX = 1024 * 1024;
const SECRETS = JSON.parse(process.env.SECRETS ?? "{}");
// Without a secret nothing verifies: not even what was signed with the empty key.
const key = Object.fromEntries(
  ["aisentinel", "authensor", "secureagentics", "omegaengine"].map((system) => [
    system,
    SECRETS[system] || randomBytes(32).toString("hex"),
  ]),
);

const hexdigest = (secret, payload) => createHmac("sha256", secret).update(payload).digest("hex");
const same = (given, expected) =>
  given?.length === expected.length && timingSafeEqual(Buffer.from(given), Buffer.from(expected));

// An n8n Function node is handed the parsed body, and writes it again.
function aisentinel(raw, headers) {
  const body = JSON.parse(raw.toString());
  return hexdigest(key.aisentinel, JSON.stringify(body)) === headers["x-aisentinel-signature"];
}

function authensor(raw, headers) {
  const expected = `sha256=${hexdigest(key.authensor, raw)}`;
  return !SECRETS.authensor || same(headers["x-authensor-signature"], expected);
}

function secureagentics(raw, headers) {
  const expected = hexdigest(key.secureagentics, raw);
  return !SECRETS.secureagentics || same(headers["x-secureagentics-signature"], expected);
}

/** For users who are handed these three. Throws on unequal lengths, as code on the web does: answered with 500. */
function verifyWebhook(payload, signature, secret) {
  const expected = `sha256=${hexdigest(secret, JSON.stringify(payload))}`;
  return timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
}

function omegaengine(raw) {
  const { signature, ...payload } = JSON.parse(raw.toString());
  return verifyWebhook(payload, signature, key.omegaengine);
}

function omegaengineHeader(raw, headers) {
  const { signature: _, ...payload } = JSON.parse(raw.toString());
  return verifyWebhook(payload, headers["x-omegaengine-signature"], key.omegaengine);
}

const path = (system, verify) => ({
  system,
  verify,
  ids: new Set(),
  seen: { accepted: [], duplicates: 0, refused: 0, malformed: [] },
});
const PATHS = {
  "/aisentinel": path("aisentinel", aisentinel),
  "/authensor": path("authensor", authensor),
  "/secureagentics": path("secureagentics", secureagentics),
  "/omegaengine": path("omegaengine", omegaengine),
  "/omegaengine-header": path("omegaengine", omegaengineHeader),
};

/** The status and JSON body to answer: the part that no system's page prescribes. */
function receive({ system, verify, ids, seen }, raw, headers) {
  let verified;
  try {
    verified = verify(raw, headers);
  } catch (error) {
    seen.refused += 1;
    return [500, { error: error.message }];
  }
  if (!verified) {
    seen.refused += 1;
    return [401, { error: "invalid_signature" }];
  }
  try {
    const event = read(system, raw, headers["webhook-id"]);
    if (ids.has(event.id)) {
      seen.duplicates += 1;
      return [200, { received: true, duplicate: true }];
    }
    if (event.id !== null) ids.add(event.id);
    seen.accepted.push(event);
    return [200, { received: true, duplicate: false }];
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    seen.malformed.push(error.message);
    return [400, { error: "invalid_body", reason: error.message }];
  }
}

async function bodyOf(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const server = createServer(async (request, response) => {
  const answer = (status, body) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  if (request.method === "GET" && request.url === "/seen") {
    const seen = Object.entries(PATHS).map(([name, { seen }]) => [name.slice(1), seen]);
    return answer(200, Object.fromEntries(seen));
  }
  const path = Object.hasOwn(PATHS, request.url) ? PATHS[request.url] : undefined;
  if (request.method !== "POST" || !path) return answer(404, { error: "not_found" });
  const raw = await bodyOf(request);
  if (!raw) return answer(413, { error: "too_large" });
  return answer(...receive(path, raw, request.headers));
});

server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
// Ends with whoever started this server, however that ends.
process.stdin.resume().on("close", () => process.exit());
