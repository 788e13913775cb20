/** Runs one scenario of the files in here: `main.mjs SCENARIO DRIVER FOLDER`. Fails with what went wrong. */
import { readdirSync, readFileSync } from "node:fs";

const [name, driver, folder] = process.argv.slice(2);
const exported = new RegExp(`^export (?:async function|function|const) ${name}\\b`, "m");
/** That which has it is loaded alone: all of them take longer than many a scenario. */
const file = readdirSync(import.meta.dirname).find((one) =>
  exported.test(readFileSync(`${import.meta.dirname}/${one}`, "utf8")),
);
const { [name]: scenario } = await import(`./${file}`);
await scenario(driver, folder);
