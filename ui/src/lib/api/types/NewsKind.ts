// Written by hand after the contract; ts-rs will write this file.
export type NewsKind = "joined" | "idea" | "comment" | "text" | "vote-opened" | "vote-closed" | "task-done" | "task";
