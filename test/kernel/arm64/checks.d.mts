export const drivers: Readonly<Record<string, readonly string[]>>;
export const scenarioTitles: Readonly<Record<string, string>>;
