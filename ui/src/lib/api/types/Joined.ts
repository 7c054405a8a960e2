// Written by hand after the contract; ts-rs will write this file.
export type Joined = { id: string, name: string, code: string, };
