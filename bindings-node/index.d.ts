/** The version of the engine inside this package. */
export function version(): string;
