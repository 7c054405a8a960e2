// Written by hand after the contract; ts-rs will write this file.
export type Mine = { entries: number, waiting: number, quarantined: number, setAside: number, };
