import protect from './index.cjs';

export const { version } = protect;
export default protect;
