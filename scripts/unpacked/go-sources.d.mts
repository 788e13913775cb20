export function goIn(folder: string): { readonly program: string; readonly env: NodeJS.ProcessEnv };
