-- What public inboxes received, counted by the hour, and which public messages have an attachment.

-- The names that were met most often in an hour: the rest is not kept (see mail.statistics).
create table tally (
    kind text collate "C" not null,   -- address, sender, domain, attachment
    hour timestamptz not null,        -- its beginning
    name text collate "C" not null,   -- of an attachment, the MD5 of its content in hex
    n    bigint not null,
    primary key (kind, hour, name)
);

-- MD5 sums are 128 bits, as UUIDs are. Mail without attachments has null here, which costs nothing.
alter table message add column attachments uuid[];
create index message_attachments on message using gin (attachments)
    where attachments is not null and not private and saved_by is null;

-- The same thing again within seconds is one row.
alter table activity add column times integer not null default 1;

-- Months that are over are only looked at by account and month, and old ones are deleted.
create index usage_month on usage (month);
