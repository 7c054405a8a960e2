export { Client } from './client';
export type { Backend, CopyProgress, Link } from './backend';
export { asKiezError, KiezError } from './error';
export type * from './types';
