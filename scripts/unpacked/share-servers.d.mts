export const shareServersFolder: string;
export function hasShareServers(): boolean;
export function unpackShareServers(): void;
