import protect from './index.cjs';

export * from './generated/index.mjs';
export const { ProtectError, Sandbox, email, google, hibp, log, m365, open, handle, toExpress, version, webhook } = protect;
export default protect;
