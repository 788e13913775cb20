import type { IsKnownSame } from "../layer/index.ts";

/** Two layers that are whole trees, both open as folders. */
export interface OpenLayers {
  readonly home: string;
  readonly id: string;
  readonly parent: string;
  readonly newer: number;
  readonly older: number;
}

/** Lends what a driver knows of two of its layers for as long as `visit` runs; `undefined` where it knows nothing. */
export type WithKnownSame = <T>(layers: OpenLayers, visit: (isKnownSame: IsKnownSame | undefined) => T) => T;
