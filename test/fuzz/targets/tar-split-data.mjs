/** The data from which an archive is put together, as somebody else may have written or damaged them. */
import { createTarAssembler } from "#dist/tar/index.js";

export const codes = ["DATA_LOSS", "RESOURCE_EXHAUSTED"];
export const dictionary = [
  '{"type":2,"payload":"',
  '{"type":1,"name":"f","size":3,"payload":"',
  '"name_raw":"',
  '"crc64":"',
  "AAAAAAAAAAA=",
  '","position":0}\n',
  "\\u0000",
  "null",
  "1e999",
  "\n",
];
export const seeds = [
  '{"type":2,"payload":"YWJj","position":0}\n{"type":1,"name":"f","size":3,"payload":"gWhWkQAAAAA=","position":1}\n',
  '{"type":1,"name_raw":"/w==","size":0,"payload":"AAAAAAAAAAA=","position":0}\n{"type":2,"payload":"","position":1}\n',
];

export function run(input) {
  const open = () => {
    let isRead = false;
    return { read: () => (isRead ? undefined : ((isRead = true), Buffer.from("abc"))), close() {} };
  };
  const assembler = createTarAssembler({ open }, { write() {} }, { maxLineBytes: 8192 });
  for (let at = 0; at < input.length; at += 100) assembler.write(input.subarray(at, at + 100));
  assembler.finish();
}
