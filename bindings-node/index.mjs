import protect from './index.cjs';

export * from './generated/index.mjs';
export const { email, ProtectError, open, version } = protect;
export default protect;
