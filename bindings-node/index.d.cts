export * from './generated/index.cjs';
export * from './lib/types.cjs';
export * as email from './lib/email.cjs';
