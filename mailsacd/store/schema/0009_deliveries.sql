-- Messages on their way to webhooks and Slack: written by the statement that stores the message.

create table delivery (
    id         text collate "C" primary key,   -- the event id that the receiver sees; rises with time
    account    text collate "C" not null,      -- whose address asked for it
    address    text collate "C" not null,
    kind       text not null,                  -- webhook, slack
    url        text not null,                  -- as it was set when the message came, or later
    -- Whom it goes to: host and port, as the URL spells them
    target     text collate "C" not null
               generated always as (lower(split_part(split_part(split_part(
                   left(url, 2000), '#', 1), '?', 1), '/', 3))) stored,
    inbox      text collate "C" not null,      -- where the message is
    message_id text collate "C" not null,
    created    timestamptz not null default now(),
    begun      timestamptz not null default now(),   -- retried for a day from then
    attempts   integer not null default 0,     -- since then
    claimed    boolean not null default false, -- a node is at it until "due"
    due        timestamptz default now(),      -- of the next attempt; null: there is none
    delivered  boolean not null default false,
    finished   timestamptz,
    code       integer,                        -- HTTP status of the last attempt, if it had one
    error      text not null default ''        -- why the last attempt failed
);
alter table delivery set (autovacuum_vacuum_scale_factor = 0.02);
-- No reference to account: a removal that is under way must not keep mail from being stored.
create index delivery_due on delivery (due) where due is not null;
create index delivery_waiting on delivery (target, account, due) where due is not null;
create index delivery_account on delivery (account, id);
create index delivery_finished on delivery (finished) where finished is not null;

-- What an account's webhooks are signed with. The previous one signs along for a while.
create table webhook_secret (
    account  text collate "C" primary key references account on delete cascade,
    value    bytea not null,
    previous bytea,
    rotated  timestamptz
);
