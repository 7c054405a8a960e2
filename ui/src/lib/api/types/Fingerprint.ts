// Written by hand after the contract; ts-rs will write this file.
export type Fingerprint = { digits: string, words: Array<string>, };
