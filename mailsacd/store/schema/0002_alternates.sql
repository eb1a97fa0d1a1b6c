-- Alternates: unguessable addresses, each standing for another one.

create table alternate (
    local   text collate "C" primary key,   -- inbox- and 40 hex digits, the same at every domain
    address text not null
);

-- The key of the hash that alternates are made with, and of others to come: one for all nodes.
create table server_secret (
    single boolean primary key default true check (single),   -- one row at most
    value  bytea not null check (length(value) = 32)
);
