export const kitChecks: readonly string[];
export const scenarioTitles: Readonly<Record<string, string>>;
