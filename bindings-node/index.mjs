import protect from './index.cjs';

export * from './generated/index.mjs';
export const { ProtectError, Sandbox, hibp, open, version } = protect;
export default protect;
