-- Runs: domains that belong to an account for some hours, with keys of their own.

-- The domain of a run is private and verified as others are, so whatever stores and reads mail knows
-- whose it is. Nobody has brought it: it is in no list of domains, and counts for no limit of them.
alter table domain add column of_run boolean not null default false;

create table run (
    id       text collate "C" primary key,          -- the first label of the domain
    domain   text collate "C" not null unique,
    owner    text collate "C" not null references account on delete cascade,
    name     text not null,
    key_hash bytea not null unique,                 -- SHA-256 of the run's key
    created  timestamptz not null default now(),
    ends     timestamptz not null,                  -- by itself, or when it was ended
    erased   timestamptz                            -- when its mail was deleted; null: not yet
);
create index run_owner on run (owner, created);
create index run_ends on run (ends);
