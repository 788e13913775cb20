export const arm64Folder: string;
export function arm64KernelVersion(): string;
export function bringArm64(): void;
export function hasArm64(): boolean;
