// Written by hand after the contract; ts-rs will write this file.
export type Person = { id: string, name: string | null, initials: string, me: boolean, };
