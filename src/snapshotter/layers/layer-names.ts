/** The layer of a place: its number in decimal. Short, so that mount options of 128 of them fit into a page. */
export function layerOf(id: number): string {
  return String(id);
}

/** The number of a layer's place; `undefined` for a layer that is none's, which is somebody else's to remove. */
export function placeOf(layer: string): number | undefined {
  const id = Number(layer);
  return /^[1-9]\d*$/.test(layer) && Number.isSafeInteger(id) ? id : undefined;
}
