// Written by hand after the contract; ts-rs will write this file.
export type GroupCard = { id: string, name: string, purpose: string, people: number, };
