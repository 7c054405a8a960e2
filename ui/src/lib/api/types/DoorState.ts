// Written by hand after the contract; ts-rs will write this file.
export type DoorState = "new" | "locked" | "open";
