// Written by hand after the contract; ts-rs will write this file.
export type Invitation = { invitation: string, expires: number, addresses: Array<string>, };
