import * as protect from './index.cjs';

export * from './index.cjs';
export default protect;
