-- Raw messages and the copies of them that recipients have.
--
-- Keys are text in the collation "C": ids are made so that their text order is their time order.

-- One row an envelope: the trace headers and the message as received, compressed with zstd.
create table raw_message (
    id       text collate "C" primary key,
    received timestamptz not null,
    body     bytea not null,
    size     integer not null,   -- bytes before compression
    refs     integer not null    -- copies that point here; the last one to go takes the row along
);
-- The body is compressed already: trying again on the way into the table would only cost.
alter table raw_message alter column body set storage external;
-- As much is recycled as comes in. The usual fifth of a large table would be a long time to wait
-- for its room to be used again; the bodies are in the TOAST table.
alter table raw_message set (
    autovacuum_vacuum_scale_factor = 0.02,
    toast.autovacuum_vacuum_scale_factor = 0.02
);

-- One row a recipient. The key leads with the inbox, so that a store may be cut up by it.
create table message (
    inbox    text collate "C" not null,
    id       text collate "C" not null,
    raw_id   text collate "C" not null,
    domain   text collate "C" not null,
    received timestamptz not null,
    facts    text not null,      -- what never changes of the JSON form, without its closing brace
    saved_by text,               -- the account that starred it
    folder   text not null default 'inbox',
    labels   text[] not null default '{}',
    read     boolean,            -- null until somebody set it
    primary key (inbox, id)
);
alter table message set (autovacuum_vacuum_scale_factor = 0.02);
