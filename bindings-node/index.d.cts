export * from './generated/index.cjs';
export * from './lib/types.cjs';
