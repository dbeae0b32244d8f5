// Third parties' libraries as verifiers: what `verify.py` takes and prints, with npm's packages.
import { createPublicKey, verify as verifySignature } from "node:crypto";
import { readFileSync } from "node:fs";

import { load, loadModule } from "./packages.mjs";

const { Webhook } = load("standardwebhooks");
const { Webhook: SvixWebhook } = load("svix");
const { HTTP } = load("cloudevents");
// The key is for calls of Stripe's API, and none is made.
const stripe = new (load("stripe"))("sk_test_unused");
const octokit = await loadModule("@octokit/webhooks-methods");

const TOLERANCE_SECONDS = 5 * 60;

const LIBRARIES = {
  standardwebhooks: ({ secret, headers, body }) => new Webhook(secret).verify(body, headers),
  svix: ({ secret, headers, body }) => new SvixWebhook(secret).verify(body, headers),
  stripe: ({ secret, headers, body }) => stripe.webhooks.constructEvent(body, headers["stripe-signature"], secret),

  async "@octokit/webhooks-methods"({ secret, headers, body }) {
    const verified = await octokit.verify(secret, body.toString(), headers["x-hub-signature-256"]);
    if (!verified) throw new Error("verify is false");
  },

  cloudevents({ headers, body }) {
    const { type, source, id } = HTTP.toEvent({ headers, body: body.toString() });
    if (!type || !source || !id) throw new Error("type, source or id is missing");
    console.error(JSON.stringify({ type, source, id }));
  },

  /** Standard Webhooks' asymmetric scheme, which its own package does not verify. */
  "node:crypto"({ secret, headers, body }) {
    const x = Buffer.from(secret.replace(/^whpk_/, ""), "base64").toString("base64url");
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    const [id, timestamp] = [headers["webhook-id"], headers["webhook-timestamp"]];
    const age = Math.abs(Date.now() / 1000 - Number(timestamp));
    if (!(age <= TOLERANCE_SECONDS)) throw new Error("timestamp outside the tolerance");
    const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
    // Several while a key rotates.
    const signatures = headers["webhook-signature"].split(" ").filter((one) => one.startsWith("v1a,"));
    const matches = (one) => verifySignature(null, signed, key, Buffer.from(one.slice(4), "base64"));
    if (!signatures.some(matches)) throw new Error("no matching v1a signature");
  },
};

async function verify(one) {
  const library = LIBRARIES[one.library];
  if (!library) throw new Error(`no library ${one.library}`);
  const lower = ([name, value]) => [name.toLowerCase(), value];
  const headers = Object.fromEntries(Object.entries(one.headers).map(lower));
  try {
    await library({ secret: one.secret ?? "", headers, body: Buffer.from(one.body_base64, "base64") });
    return true;
  } catch (error) {
    return error.message || error.name;
  }
}

const results = [];
for (const one of JSON.parse(readFileSync(0, "utf8"))) results.push(await verify(one));
console.log(JSON.stringify(results));
