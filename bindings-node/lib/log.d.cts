import type { LogLevel, LogLine } from '../generated/log.cjs';

export * from '../generated/log.cjs';

/**
 * Has every line that protect logs in this process told to a function, in place of whoever was told before; it
 * is silent until it is asked. Lines come in order, in turns of the event loop; one that comes faster than they
 * are taken is dropped, and told to have been. This keeps no program alive.
 */
export function sendTo(
  receive: (line: LogLine) => void,
  options?: {
    /** From which level up; `warn` where left out. */
    level?: LogLevel | undefined;
  },
): void;

/** Tells nobody any more, once every line until now is told. */
export function stop(): Promise<void>;
