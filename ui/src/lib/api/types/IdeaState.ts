// Written by hand after the contract; ts-rs will write this file.
export type IdeaState = "idea" | "vote" | "decided" | "doing" | "done";
