// Configures an endpoint, sends an event and waits until it is delivered: with openapi-fetch and the types
// that openapi-typescript made of `openapi.json`. It prints the delivery.
//
// Arguments: the server, the API key, the receiver's URL.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const [server, key, receiver] = process.argv.slice(2) as [string, string, string];
const client = createClient<paths>({ baseUrl: server, headers: { authorization: `Bearer ${key}` } });

function expect<T>(what: { data?: T; error?: components["schemas"]["Problem"] }): T {
  if (what.data === undefined) throw new Error(what.error?.detail ?? "no answer");
  return what.data;
}

const draft = { url: receiver, name: "Made in TypeScript", event_types: ["dlp.*"] } satisfies components["schemas"]["NewEndpoint"];
const endpoint = expect(
  await client.POST("/v1/tenants/{tenant}/endpoints", {
    params: { path: { tenant: "typescript" }, query: { ping: "false" } },
    body: draft,
  }),
);

const accepted = expect(
  await client.POST("/v1/tenants/{tenant}/events", {
    params: { path: { tenant: "typescript" } },
    body: { type: "dlp.violation", id: "evt_ts", data: { user: "anna" } },
  }),
);
if (!("deliveries" in accepted)) throw new Error("one event, one acceptance");

const refused = await client.POST("/v1/tenants/{tenant}/events", {
  params: { path: { tenant: "typescript" } },
  body: { type: "" },
});
if (refused.error?.errors?.[0]?.pointer !== "/type") throw new Error("its fault is not named");

let delivery: components["schemas"]["Delivery"] | undefined;
for (let tries = 0; tries < 200 && delivery?.status !== "delivered"; tries += 1) {
  if (tries > 0) await new Promise((done) => setTimeout(done, 50));
  delivery = expect(
    await client.GET("/v1/tenants/{tenant}/deliveries/{delivery}", {
      params: { path: { tenant: "typescript", delivery: accepted.deliveries[0]!.id } },
    }),
  );
}
if (delivery?.endpoint_id !== endpoint.id) throw new Error("another endpoint's");
if (delivery.attempts[0]?.response_status !== 200) throw new Error("not taken");
console.log(JSON.stringify(delivery));
