// Checked by `tsc --noEmit`, never run: the types say what a caller may rely on.
import { Hibp, ProtectError, Sandbox, hibp, open, version } from 'protect-sdk';
import type { Protect, ScanRequest } from 'protect-sdk';
import { startSandbox } from 'protect-sdk/testing';

export const engine: string = version();

// @ts-expect-error the version takes no argument
version(1);

const sandbox: Sandbox = startSandbox({ seed: 7 });

// @ts-expect-error a sandbox has no such setting
startSandbox({ sed: 7 });

export const opened: Promise<Protect> = sandbox.open();
export const client: Promise<Hibp> = sandbox.hibp();
export const judged: hibp.Assessment = hibp.classify({ Name: 'Shop' });

// @ts-expect-error a model is read, not made by assignment
judged.severity = 'low';

class Badges {
  static kind = 'badges';
  scan({ cursor }: ScanRequest) {
    if (cursor !== null) throw new ProtectError({ kind: 'not_found', message: 'no such page' });
    return { more: false };
  }
}

export const withConnector: Promise<Protect> = open('protect.toml', { connectors: [Badges] });

// @ts-expect-error a connector plays a role
open('protect.toml', { connectors: [class { static kind = 'idle'; }] });
