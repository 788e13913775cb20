/** Opens a home as another process would, and prints what it is told. */
import { factories } from "./layers.mjs";

const [driver, home] = process.argv.slice(2);
await factories[driver].open({ home }).then(
  () => console.log("opened"),
  ({ code }) => console.log(code),
);
