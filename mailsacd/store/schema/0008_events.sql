-- What was stored, commit by commit, for those who wait for mail.
--
-- Commits become visible in another order than their messages' ids have, so "after the last id
-- that I saw" would miss some. Who wants to miss nothing keeps the snapshot in which he last looked
-- (pg_current_snapshot) and asks for what was not visible in it.

create table event (
    xid      xid8 primary key default pg_current_xact_id(),
    stored   timestamptz not null default now(),
    messages text not null   -- JSON: [[id, inbox, owner, private, saved_by, [passed …]] …]
);
alter table event set (autovacuum_vacuum_scale_factor = 0.02);

-- The transaction that stored a message; null for what was stored earlier than this column.
alter table message add column xid xid8;
alter table message alter column xid set default pg_current_xact_id();

-- The inboxes that a message was forwarded through before it came into its own.
alter table message add column passed text[];
create index message_passed on message (owner, id) where passed is not null;

-- Part of every position in this order that somebody was told. Another one when the database is
-- restored: transactions may then be counted from lower numbers, and old positions mean nothing.
create table event_epoch (
    single boolean primary key default true check (single),   -- one row at most
    value  bytea not null check (length(value) = 16)
);
