-- Searches that an account has given a name, which stands for them in others.
create table saved_search (
    account text collate "C" not null references account on delete cascade,
    name    text collate "C" not null,   -- lower case
    query   text not null,
    created timestamptz not null default now(),
    primary key (account, name)
);
