// Reads cases from standard input and prints how many the npm package `standardwebhooks` accepts.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

// `require` honours NODE_PATH, and `import` does not.
const { Webhook } = createRequire(import.meta.url)("standardwebhooks");

let accepted = 0;
for (const { secret, headers, body } of JSON.parse(readFileSync(0, "utf8"))) {
  try {
    new Webhook(secret).verify(body, headers);
    accepted += 1;
  } catch (error) {
    console.error(error.message);
  }
}
console.log(accepted);
