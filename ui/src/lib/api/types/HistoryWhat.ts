// Written by hand after the contract; ts-rs will write this file.
export type HistoryWhat = "written" | "title" | "text" | "cost" | "place" | "comment" | "vote-opened" | "vote-closed" | "task" | "task-done";
