-- Domains whose mail is counted for a while, and not kept.

create table load_test (
    id      text collate "C" primary key,   -- rises with time
    domain  text collate "C" not null,
    owner   text collate "C" not null references account on delete cascade,
    header  text not null,                  -- the field that tells when a message was sent
    started timestamptz not null default now(),
    ends    timestamptz not null            -- by itself, or when it was ended
);
create index load_test_domain on load_test (domain, owner, started);
create index load_test_owner on load_test (owner, ends);

-- What each process has counted: all of it, written anew every second in which there was something.
create table load_test_figures (
    test    text collate "C" not null references load_test on delete cascade,
    process text collate "C" not null,
    figures text not null,                  -- JSON (core.load_test)
    primary key (test, process)
);

-- The Message-IDs of its sample (core.sampled_ids), piece by piece, as they come.
create table load_test_ids (
    test    text collate "C" not null references load_test on delete cascade,
    process text collate "C" not null,
    piece   bigint not null,
    ids     bytea not null,
    primary key (test, process, piece)
);
alter table load_test_figures set (fillfactor = 50);
alter table load_test_ids alter column ids set storage external;
