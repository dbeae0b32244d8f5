// npm's packages, from the folders of NODE_PATH: `require` honours it, and `import` does not.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";

export const load = createRequire(import.meta.url);

/** A package that can only be imported. */
export async function loadModule(name) {
  const folders = (process.env.NODE_PATH ?? "").split(delimiter).map((folder) => join(folder, name));
  const folder = folders.find((folder) => existsSync(join(folder, "package.json")));
  if (!folder) throw new Error(`${name} is in no folder of NODE_PATH`);
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return import(pathToFileURL(join(folder, exports["."].node.import)).href);
}
