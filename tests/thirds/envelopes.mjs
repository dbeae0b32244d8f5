// What a strict user of each system expects of a body: every member of the contract, of its type. A member that an
// event has nothing for is there and null. Stands beside `envelopes.py`, which says the same for Python.

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;
const AUTHENSOR_BODY_BYTES_MAX = 4095;

/** The body is not what the contract says. */
export class Malformed extends Error {}

const require = (holds, reason) => {
  if (!holds) throw new Malformed(reason);
};
const isText = (value) => typeof value === "string" && value !== "";
const isMembers = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

const member = (parent, name) => {
  require(Object.hasOwn(parent, name), `${name} is missing`);
  return parent[name];
};
const text = (parent, name) => {
  require(isText(member(parent, name)), `${name} is no text`);
  return parent[name];
};
const textOrNull = (parent, name) => {
  const value = member(parent, name);
  require(value === null || typeof value === "string", `${name} is neither text nor null`);
};
const instant = (parent, name) => {
  const value = text(parent, name);
  require(INSTANT.test(value) && !Number.isNaN(Date.parse(value)), `${name} is no instant`);
  return value;
};
const count = (parent, name) => {
  const value = member(parent, name);
  require(Number.isSafeInteger(value) && value >= 1, `${name} is no count`);
  return value;
};
const members = (parent, name) => {
  require(isMembers(member(parent, name)), `${name} is no object`);
  return parent[name];
};

const READERS = {
  aisentinel(body) {
    for (const name of ["id", "tenant"]) text(body, name);
    instant(body, "createdAt");
    textOrNull(body, "auditId");
    const [data, retry, type] = [members(body, "data"), members(body, "retry"), text(body, "event")];
    if (type === "policy.decision.created") text(data, "decision");
    if (type === "proof.ready") text(data, "proofId");
    require(count(retry, "attempt") <= count(retry, "maxAttempts"), "attempt is above maxAttempts");
    instant(retry, "firstAttemptAt");
    textOrNull(retry, "reason");
    return { id: text(body, "deliveryId"), type };
  },

  authensor(body, webhookId) {
    instant(body, "timestamp");
    text(body, "summary");
    for (const name of ["agent_id", "audit_url"]) textOrNull(body, name);
    const details = members(body, "details");
    if (details.truncated === true) {
      count(details, "size_bytes");
      text(details, "url");
    }
    return { id: webhookId, type: text(body, "type") };
  },

  secureagentics(body) {
    require(instant(body, "timestamp").endsWith("Z"), "timestamp does not end with Z");
    members(body, "data");
    return { id: text(body, "id"), type: text(body, "type") };
  },

  omegaengine(body, webhookId) {
    instant(body, "timestamp");
    const type = text(body, "event");
    require(/^sha256=[0-9a-f]{64}$/.test(text(body, "signature")), "signature is no signature");
    if (!type.startsWith("decision.")) {
      members(body, "data");
      return { id: webhookId, type };
    }
    const decision = members(body, "decision");
    for (const name of ["id", "outcome", "scenario", "auditId"]) text(decision, name);
    const score = member(decision, "riskScore");
    require(typeof score === "number" && score >= 0 && score <= 1, "riskScore is no score");
    const matches = member(decision, "policyMatches");
    require(Array.isArray(matches) && matches.every((one) => typeof one === "string"), "policyMatches is no list");
    return { id: webhookId, type };
  },
};

/**
 * The event in a body, as `{id, type}`. Authensor and OmegaEngine name nothing to deduplicate by, so what their users
 * have is `webhook-id`, which a sender of Standard Webhooks sends beside the system's own header; null without it.
 */
export function read(system, raw, webhookId) {
  if (system === "authensor") {
    require(raw.length <= AUTHENSOR_BODY_BYTES_MAX, `${raw.length} bytes are above the limit`);
  }
  let body;
  try {
    body = JSON.parse(raw.toString());
  } catch (error) {
    throw new Malformed(`no JSON: ${error.message}`);
  }
  require(isMembers(body), "no object");
  return READERS[system](body, webhookId ?? null);
}
