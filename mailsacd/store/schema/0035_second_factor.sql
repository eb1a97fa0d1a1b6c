-- Codes that signing in takes beside a password (RFC 6238), and those for when the device is lost.

create table second_factor (
    login     text collate "C" primary key references login on delete cascade,
    sealed    bytea not null,                   -- the secret, under a key made of the server's secret
    created   timestamptz not null default now(),
    confirmed timestamptz,                      -- from then on signing in takes a code
    last_step bigint not null default 0         -- of the newest code that was taken: none counts twice
);
create table recovery_code (
    login     text collate "C" not null references second_factor on delete cascade,
    code_hash bytea not null,
    primary key (login, code_hash)
);
