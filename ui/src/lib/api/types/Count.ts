// Written by hand after the contract; ts-rs will write this file.
export type Count = { option: string, count: number, won: boolean, };
