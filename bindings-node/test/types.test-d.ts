// Checked by `tsc --noEmit`, never run: the types say what a caller may rely on.
import { version } from 'protect-sdk';

export const engine: string = version();

// @ts-expect-error the version takes no argument
version(1);
