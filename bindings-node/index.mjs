import protect from './index.cjs';

export * from './generated/index.mjs';
export const { ProtectError, Sandbox, hibp, m365, open, version } = protect;
export default protect;
