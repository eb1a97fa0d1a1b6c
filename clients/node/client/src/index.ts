export { Mailsacd } from "./client";
export type { Checks, Codes, Conditions, Listed, Message, OutgoingMail, Waiting, Which } from "./client";
export { MailsacdError, WaitTimeoutError, type NearMiss } from "./errors";
export { Http, type Options, type Schemas } from "./http";
export { Inbox, newInbox, type Link, type Wanted } from "./inbox";
export { beginRun, Run, type RunOptions } from "./run";
