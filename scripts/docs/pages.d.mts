export function madePages(): (readonly [path: string, text: string])[];
