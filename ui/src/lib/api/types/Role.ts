// Written by hand after the contract; ts-rs will write this file.
export type Role = "steward" | "member" | "observer";
