import protect from './index.cjs';

export * from './generated/index.mjs';
export const { ProtectError, open, version } = protect;
export default protect;
