-- What accounts use, by API key; what mail comes in, by domain; and which warnings were given.

-- The name of the API key; '' is what no key did, or one that is gone.
alter table usage add column key text collate "C" not null default '';
alter table usage drop constraint usage_pkey;
alter table usage add primary key (account, month, kind, key);

-- Of the account '', all public mail, without its domains: strangers choose those.
create table inbound (
    account  text collate "C" not null,   -- no reference: its rows go when it is removed
    monthly  boolean not null,            -- whether it is of a month, or of a day
    since    date not null,               -- the day, or the first day of the month
    domain   text collate "C" not null,
    messages bigint not null,
    bytes    bigint not null,             -- of raw messages, a copy for each recipient
    primary key (account, monthly, since, domain)
);
create index inbound_since on inbound (monthly, since);

-- So that an account is warned once a month, whatever nodes there are.
create table usage_warning (
    account text collate "C" not null references account on delete cascade,
    month   date not null,
    percent smallint not null,
    given   timestamptz not null default now(),
    primary key (account, month, percent)
);
