-- Faults that owners of domains have their mail meet on purpose, to test who sends it.
create table fault_plan (
    domain   text collate "C" not null,
    owner    text collate "C" not null,
    plan     text not null,                      -- JSON (core.fault_plan)
    provoked bigint not null default 0,          -- so many, since it was set up
    primary key (domain, owner),
    foreign key (domain, owner) references domain (name, owner) on delete cascade
);

-- What was provoked last: a ring for each plan, in which number n has the slot n modulo its size.
create table provoked_fault (
    domain    text collate "C" not null,
    owner     text collate "C" not null,
    slot      integer not null,
    number    bigint not null,
    provoked  timestamptz not null default now(),
    facts     text not null,                     -- JSON (core.fault_plan)
    primary key (domain, owner, slot),
    foreign key (domain, owner) references fault_plan on delete cascade
);

-- How often something was tried, of which the first tries fail, or every n-th. No owner: the operator's.
create table fault_count (
    domain text collate "C" not null,
    key    text collate "C" not null,
    tries  bigint not null,
    since  timestamptz not null,
    primary key (domain, key)
);
create index fault_count_since on fault_count (domain, since);
