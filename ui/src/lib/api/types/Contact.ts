// Written by hand after the contract; ts-rs will write this file.
export type Contact = "even" | "busy" | "lost";
