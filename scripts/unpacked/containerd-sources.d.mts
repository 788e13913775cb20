export const containerd17Folder: string;
export function hasContainerd17(): boolean;
export function unpackContainerd17(): void;
