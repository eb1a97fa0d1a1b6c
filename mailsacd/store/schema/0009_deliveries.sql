-- Messages on their way to webhooks and Slack: written by the statement that stores the message.

create table delivery (
    id         text collate "C" primary key,   -- the event id that the receiver sees; rises with time
    account    text collate "C" not null,      -- whose address asked for it
    address    text collate "C" not null,
    kind       text not null,                  -- webhook, slack
    url        text not null,                  -- as it was set when the message came
    inbox      text collate "C" not null,      -- where the message is
    message_id text collate "C" not null,
    created    timestamptz not null default now(),
    attempts   integer not null default 0,
    due        timestamptz default now(),      -- of the next attempt; null: there is none
    delivered  boolean not null default false,
    finished   timestamptz,
    code       integer,                        -- HTTP status of the last attempt, if it had one
    error      text not null default ''        -- why the last attempt failed
);
-- No reference to account: a removal that is under way must not keep mail from being stored.
create index delivery_due on delivery (due) where due is not null;
create index delivery_account on delivery (account, id);
create index delivery_finished on delivery (finished) where finished is not null;
