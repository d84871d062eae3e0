export * from './generated/index.cjs';
export * from './lib/types.cjs';
export * as email from './lib/email.cjs';
export * as google from './lib/google.cjs';
export * as hibp from './lib/hibp.cjs';
export * as m365 from './lib/m365.cjs';
export { handle, toExpress } from './lib/web.cjs';
export * as webhook from './lib/webhook.cjs';
export { Sandbox } from './lib/sandbox.cjs';
