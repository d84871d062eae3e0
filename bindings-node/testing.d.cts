export { Sandbox, startSandbox } from './lib/sandbox.cjs';
