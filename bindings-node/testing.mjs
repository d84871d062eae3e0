import testing from './testing.cjs';

export const { Sandbox, startSandbox } = testing;
