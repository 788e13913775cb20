/** Where `jobs.ts` stands, without loading it: it is for workers. */
export const moduleUrl = new URL(import.meta.url.endsWith(".ts") ? "./jobs.ts" : "./jobs.js", import.meta.url).href;
