import { changeTime, isBefore, readLayerRecord, type WithKnownSame } from "../../graphdriver/kit.ts";

/** A file of the copy that was not touched since it was made, of one that was not touched since before. */
export const withKnownSame: WithKnownSame = ({ home, id, parent }, visit) => {
  const record = readLayerRecord(home, id);
  if (!record?.copied || record.parent !== parent) return visit(undefined);
  const { from, to } = record.copied;
  return visit((_, newer, older) => {
    const touched = changeTime(newer);
    return isBefore(touched, to) && !isBefore(touched, from) && isBefore(changeTime(older), from);
  });
};
