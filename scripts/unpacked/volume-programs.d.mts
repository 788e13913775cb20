export const volumeProgramsFolder: string;
export function hasVolumePrograms(): boolean;
export function unpackVolumePrograms(): void;
