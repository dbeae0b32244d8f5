// Third parties' libraries, and the five systems' pages, as signers: what `sign.py` takes and prints, with npm's
// packages.
import { createHmac, createPrivateKey, sign as signBytes } from "node:crypto";
import { readFileSync } from "node:fs";

import { load, loadModule } from "./packages.mjs";

const { Webhook } = load("standardwebhooks");
const { Webhook: SvixWebhook } = load("svix");
const { CloudEvent, HTTP } = load("cloudevents");
// The key is for calls of Stripe's API, and none is made.
const stripe = new (load("stripe"))("sk_test_unused");
const octokit = await loadModule("@octokit/webhooks-methods");

// What stands before the seed in an Ed25519 private key of PKCS #8, which is how node:crypto takes one.
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

const hexdigest = (secret, payload) => createHmac("sha256", secret).update(payload).digest("hex");
const withHeaders = (body, headers) => ({ headers: { "content-type": "application/json", ...headers }, body });
const instant = ({ timestamp }) => new Date(timestamp * 1000);

const standardHeaders = ({ id, timestamp, body }, prefix, signature) =>
  withHeaders(body, {
    [`${prefix}-id`]: id,
    [`${prefix}-timestamp`]: String(timestamp),
    [`${prefix}-signature`]: signature,
  });

function cloudEvent(message, write) {
  const { id, type, body } = message;
  const data = JSON.parse(body);
  const time = instant(message).toISOString();
  const written = write(
    new CloudEvent({ id, type, source: "/thirds/node", time, datacontenttype: "application/json", data }),
  );
  return { headers: written.headers, body: written.body };
}

/** Hex over the raw body, in a header. Without a secret nothing is signed. */
const ofSystem = (header, prefix) => ({ secret, body }) =>
  withHeaders(body, secret ? { [header]: prefix + hexdigest(secret, body) } : {});

const LIBRARIES = {
  standardwebhooks: (message) =>
    standardHeaders(message, "webhook", new Webhook(message.secret).sign(message.id, instant(message), message.body)),
  svix: (message) =>
    standardHeaders(message, "svix", new SvixWebhook(message.secret).sign(message.id, instant(message), message.body)),

  /** Standard Webhooks' asymmetric scheme: the secret is `whsk_` and base64 of the seed, or of seed and public key. */
  "node:crypto"(message) {
    const seed = Buffer.from(message.secret.replace(/^whsk_/, ""), "base64").subarray(0, 32);
    const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: "der", type: "pkcs8" });
    const signed = Buffer.from(`${message.id}.${message.timestamp}.${message.body}`);
    return standardHeaders(message, "webhook", `v1a,${signBytes(null, signed, key).toString("base64")}`);
  },

  stripe({ secret, timestamp, body }) {
    const header = stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp });
    return withHeaders(body, { "stripe-signature": header });
  },

  async "@octokit/webhooks-methods"({ secret, id, type, body }) {
    const signature = await octokit.sign(secret, body);
    return withHeaders(body, { "x-github-event": type, "x-github-delivery": id, "x-hub-signature-256": signature });
  },

  "cloudevents-structured": (message) => cloudEvent(message, HTTP.structured),
  "cloudevents-binary": (message) => cloudEvent(message, HTTP.binary),
  aisentinel: ofSystem("x-aisentinel-signature", ""),
  authensor: ofSystem("x-authensor-signature", "sha256="),
  aisg: ofSystem("X-AISG-Signature", "sha256="),
  secureagentics: ofSystem("X-Secureagentics-Signature", ""),

  omegaengine({ secret, body }) {
    const payload = JSON.parse(body);
    const signature = `sha256=${hexdigest(secret, JSON.stringify(payload))}`;
    return withHeaders(JSON.stringify({ ...payload, signature }), { "x-omegaengine-signature": signature });
  },
};

const signed = [];
for (const { library, ...message } of JSON.parse(readFileSync(0, "utf8"))) {
  signed.push(await LIBRARIES[library](message));
}
console.log(JSON.stringify(signed));
