-- What is kept of the mail: the limits in force, how far the recycler is, and how it finds the oldest.

-- Public mail by age. Times rise as mail comes in, so its end alone is written to, and what is
-- recycled is at its beginning.
create index message_public on message (received) where owner is null and saved_by is null;

-- The limits of the settings, written by each daemon as it starts: whatever reads mail knows them.
-- Without a row there are none.
create table retention (
    single           boolean primary key default true check (single),   -- one row at most
    public_per_inbox bigint not null,     -- the newest so many public messages of an inbox
    public_max_age   interval not null
);
create table plan_limit (
    plan          text collate "C" primary key,   -- '' is the default one
    message_limit bigint not null                 -- messages that an account holds
);

-- How far the recycler is; whoever has this row locked is the recycler.
create table recycler (
    single  boolean primary key default true check (single),   -- one row at most
    seen    text,          -- the snapshot (see 0008) whose mail has been looked after; null: none
    unseen  xid8,          -- events from this one on are kept for longer: it may not see them
    sweep   timestamptz,   -- all public mail received up to then has yet to be looked after …
    swept   timestamptz,   -- … but for what was received up to then
    applied bigint         -- public_per_inbox when that was begun
);
