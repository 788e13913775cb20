export const kernelFolder: string;
export function kernelVersion(): string | undefined;
export function unpackKernel(): void;
