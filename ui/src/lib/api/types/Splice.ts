// Written by hand after the contract; ts-rs will write this file.
export type Splice = { at: number, delete: number, insert: string, };
